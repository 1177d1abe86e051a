//! What a writer cannot combine.

use graceful::{StepError, orchestrate};

#[orchestrate(pattern = "user", cache(key = id, shared, version = id, on_err = "keep"))]
async fn shared(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = result, required))]
async fn required_too_late(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = result, required, touches(team = id)))]
async fn required_for_what_it_touches(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, required = false))]
async fn unrequired(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, required = true), audit(required = false))]
async fn required_with_values(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, required, required = false))]
async fn required_twice(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, required = false), delivery = "durable", tx = txn)]
async fn one_mistake(tx: &mut u64, id: u64) -> Result<u64, StepError> {
    let _ = tx;
    Ok(id)
}

#[orchestrate(
    pattern = "user",
    cache(touches(team = id), value = id, version = id, ttl = "1m", on_ok = "put", depends_on(team = id))
)]
async fn without_a_key(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(touches(team = id), required, on_err = "always"))]
async fn of_many_entities(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

fn main() {
    let _ = (without_a_key(1), of_many_entities(1));
    let _ = (shared(1), required_too_late(1), required_for_what_it_touches(1), unrequired(1));
    let _ = (required_with_values(1), required_twice(1), one_mistake(&mut 1, 1));
}
