use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

use graceful::{Failure, Flow, StepError, Success};

async fn flow(_: &Flow) -> Result<(), StepError> {
    Ok(())
}

async fn ok(_: &Success<'_, u64>) -> Result<(), StepError> {
    Ok(())
}

async fn err(_: &Failure<'_, Error>) -> Result<(), StepError> {
    Ok(())
}

async fn value(_: &u64) -> Result<(), StepError> {
    Ok(())
}

#[orchestrate(pattern = "user", audit = ok, alert(ok = err, err = flow), nexus(ok = value))]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
