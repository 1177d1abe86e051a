//! A parameter that only a wrong argument uses is not reported as unused.

use graceful::{Code, orchestrate};

#[orchestrate(pattern = "user", cache(key = id, read, value = shown))]
async fn by_a_rule(id: u64, shown: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = "{tenant}/{id}", tll = ttl))]
fn by_an_unknown_option(tenant: u64, ttl: u64, id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cahce(key = tenant))]
async fn by_an_unknown_argument(tenant: u64) -> Result<u64, Code> {
    Ok(1)
}

fn main() {
    let _ = (by_a_rule(1, 2), by_an_unknown_option(1, 2, 3), by_an_unknown_argument(1));
}
