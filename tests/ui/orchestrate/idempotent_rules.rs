use graceful::{StepError, orchestrate};

struct User {
    id: u64,
}

#[orchestrate(pattern = "user", idempotent = id)]
fn not_async(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "user", idempotent = id)]
fn made_elsewhere(id: u64) -> impl Future<Output = Result<u64, StepError>> {
    std::future::ready(Ok(id))
}

#[orchestrate(pattern = "user", idempotent = id, fallback = last_good, cache = id)]
async fn with_last_good(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "user", idempotent = id, fallback = recover)]
async fn with_a_fallback(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

async fn recover(_: &graceful::Failure<'_, StepError>) -> Option<u64> {
    None
}

#[orchestrate(pattern = "user", idempotent = id, cache(key = id, read))]
async fn reader(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "user", was = "users::save", incident = "saving")]
async fn renamed_without_anything_stored(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "user", idempotent = id, was = 7)]
async fn renamed_from_a_number(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

fn main() {}
