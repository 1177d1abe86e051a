use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

use graceful::{Failure, StepError, Success};

async fn ok(_: &Success<'_, u64>) -> Result<(), StepError> {
    Ok(())
}

async fn recover(_: &Failure<'_, Error>) -> Option<u64> {
    None
}

#[orchestrate(pattern = "user", delivery = "durable", audit(ok = ok, timeout = "1s"), nexus(err = ok, required), fallback = recover)]
async fn one(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
