//! Options that only readers take, without `read`.

use graceful::{Code, orchestrate};

#[orchestrate(pattern = "user", cache(key = id, refresh = "8m", wait = "2s", lag = "1s", per_actor, unwritten))]
async fn all_of_them(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, rev = 2))]
async fn revision(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, rev = 2, shared))]
async fn revision_of_a_shared_pattern(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, raed, refresh = "8m"))]
async fn one_mistake(id: u64) -> Result<u64, Code> {
    Ok(id)
}

fn main() {
    let _ = (all_of_them(1), revision(1), revision_of_a_shared_pattern(1), one_mistake(1));
}
