use graceful::{StepError, orchestrate};

struct User {
    id: u64,
}

#[orchestrate(pattern = "user", idempotent = key)]
async fn key_that_is_not_there(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent = result.id)]
async fn key_of_the_result(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "user", idempotent(key = id, scope = result))]
async fn scope_of_the_result(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "user", idempotent(key = id, request = result))]
async fn request_of_the_result(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "user", actor = result, idempotent = id)]
async fn actor_of_the_result(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

#[orchestrate(pattern = "user", idempotent = "order-42")]
async fn text_without_holes(id: u64) -> Result<u64, StepError> {
    Ok(id)
}

fn main() {}
