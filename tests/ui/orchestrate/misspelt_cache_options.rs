//! The new options of `cache`, misspelt or in another place.

use graceful::{Code, orchestrate};

#[orchestrate(pattern = "user", cache(key = id, reads, refesh = "8m", dependson(team = id)))]
async fn misspelt(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, read = true, per_actor = id, refresh))]
async fn with_and_without_values(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache = id, read, refresh = "8m", touches(team = id))]
async fn outside(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", audit(read), cache(key = id, read, read))]
async fn of_another_step(id: u64) -> Result<u64, Code> {
    Ok(id)
}

fn main() {
    let _ = (misspelt(1), with_and_without_values(1), outside(1), of_another_step(1));
}
