//! What is written for `refresh`.

use graceful::{Code, orchestrate};

#[orchestrate(pattern = "user", cache(key = id, read, on_ok = "refresh"))]
async fn as_what_an_ok_does(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, on_ok = "refresh", on_err = refresh))]
async fn as_what_a_write_does(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, read, stale = "8m"))]
async fn stale(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, read, swr = "8m", stale_while_revalidate = "8m", revalidate))]
async fn by_other_names(id: u64) -> Result<u64, Code> {
    Ok(id)
}

fn main() {
    let _ = (as_what_an_ok_does(1), as_what_a_write_does(1), stale(1), by_other_names(1));
}
