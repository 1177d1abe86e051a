use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

use graceful::{Failure, StepError, Success};

async fn ok(_: &Success<'_, String>) -> Result<(), StepError> {
    Ok(())
}

async fn err(_: &Failure<'_, String>) -> Result<(), StepError> {
    Ok(())
}

#[orchestrate(pattern = "user", alert(ok = ok), nexus(err = err))]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
