use graceful::{StepError, orchestrate};

struct User {
    id: u64,
}

#[orchestrate(pattern = "user", idempotent)]
async fn without_a_key(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent())]
async fn with_nothing(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent(window = "1h"))]
async fn with_options_only(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent = true)]
async fn switched_on(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent = off)]
async fn switched_off(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent(key = user.id, windw = "1h"))]
async fn misspelt_option(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent(key = user.id, ttl = "1h"))]
async fn option_of_another_name(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent(key = user.id, body = user.id))]
async fn request_by_another_name(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent(key = user.id, when = true))]
async fn argument_among_the_options(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent(key = user.id, severity = "error"))]
async fn option_of_a_step(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent = user.id, window = "1h")]
async fn option_outside(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent(key = user.id, window = "1h", window = "2h"))]
async fn option_twice(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent = user.id, idempotent = user.id)]
async fn argument_twice(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent(key = user.id, window))]
async fn option_without_a_value(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent(key = user.id, window = 3600))]
async fn window_without_a_unit(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent(key = user.id, window = "0s"))]
async fn window_of_no_time(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotent.key = user.id)]
async fn option_with_a_dot(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", idempotant = user.id)]
async fn misspelt_argument(user: User) -> Result<u64, StepError> {
    Ok(user.id)
}

fn main() {}
