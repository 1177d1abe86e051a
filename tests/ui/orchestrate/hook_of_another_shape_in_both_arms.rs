use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

use graceful::{Failure, StepError, Success};

fn ok(_: &Success<'_, u64>) -> Result<(), StepError> {
    Ok(())
}

async fn err(_: &Failure<'_, Error>) -> Option<u64> {
    None
}

#[orchestrate(pattern = "user", audit(ok = ok, err = err), alert(err = err))]
fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
