//! The durations of a reader, and its revision.

use graceful::{Code, orchestrate};

#[orchestrate(pattern = "user", cache(key = id, read, ttl = "5m", refresh = "5m"))]
async fn refreshed_too_late(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, read, refresh = "11m"))]
async fn refreshed_after_the_default(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, read, ttl = "1y", refresh = "11m"))]
async fn refreshed_in_time(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, read, ttl = 5, refresh = "11m"))]
async fn one_mistake(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, read, lag = "11s"))]
async fn lagging(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, read, wait = "2", lag = "soon", refresh = 8))]
async fn no_durations(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, read, rev = "2"))]
async fn revision_in_quotes(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, read, rev = 0))]
async fn revision_of_zero(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, read, rev = 5_000_000_000))]
async fn revision_too_large(id: u64) -> Result<u64, Code> {
    Ok(id)
}

fn main() {
    let _ = (refreshed_too_late(1), refreshed_after_the_default(1), refreshed_in_time(1), one_mistake(1));
    let _ = (lagging(1), no_durations(1), revision_in_quotes(1), revision_of_zero(1), revision_too_large(1));
}
