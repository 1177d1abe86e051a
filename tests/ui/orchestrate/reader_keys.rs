//! What a reader needs before its body runs.

use graceful::{Code, orchestrate};

#[orchestrate(pattern = "user", cache(key = result, read))]
async fn of_the_result(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = "{id}/{result}", read))]
async fn of_both(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(read))]
async fn without_a_key(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, read, per_actor), actor = result)]
async fn actor_of_the_result(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, read, depends_on(team = id, order = "{id}/{result}")))]
async fn depending_on_the_result(id: u64) -> Result<u64, Code> {
    Ok(id)
}

struct Name;

#[orchestrate(pattern = "user", cache(key = name, read))]
async fn not_display(name: Name) -> Result<u64, Code> {
    let _ = name;
    Ok(1)
}

#[orchestrate(pattern = "user", cache(key = idd, read))]
async fn misspelt(id: u64) -> Result<u64, Code> {
    Ok(id)
}

fn main() {
    let _ = (of_the_result(1), of_both(1), without_a_key(1), actor_of_the_result(1));
    let _ = (depending_on_the_result(1), not_display(Name), misspelt(1));
}
