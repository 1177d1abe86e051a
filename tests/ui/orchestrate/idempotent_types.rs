use graceful::{StepError, orchestrate};

struct User {
    id: u64,
}

struct Odd;

#[orchestrate(pattern = "user", idempotent = id)]
async fn error_without_from(id: u64) -> Result<u64, Odd> {
    Ok(id)
}

#[derive(serde::Deserialize)]
struct NotSerialize(u64);

#[orchestrate(pattern = "user", idempotent = id)]
async fn answer_that_is_not_serialize(id: u64) -> Result<NotSerialize, StepError> {
    Ok(NotSerialize(id))
}

#[derive(serde::Serialize)]
struct NotDeserialize(u64);

#[orchestrate(pattern = "user", idempotent = id)]
async fn answer_that_is_not_deserialize(id: u64) -> Result<NotDeserialize, StepError> {
    Ok(NotDeserialize(id))
}

#[orchestrate(pattern = "user", idempotent = user)]
async fn key_that_is_not_display(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent(key = user.id, scope = user))]
async fn scope_that_is_not_display(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent(key = user.id, request = user))]
async fn request_that_is_not_serialize(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

fn main() {}
