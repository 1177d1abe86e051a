//! `debug` is a switch.

use graceful::orchestrate;

#[orchestrate(pattern = "user", debug = true)]
async fn value(id: u64) -> Result<u64, std::fmt::Error> {
    Ok(id)
}

#[orchestrate(pattern = "user", debgu)]
async fn misspelt(id: u64) -> Result<u64, std::fmt::Error> {
    Ok(id)
}

fn main() {}
