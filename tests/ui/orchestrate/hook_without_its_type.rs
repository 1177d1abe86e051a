use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

use graceful::{Failure, StepError};

async fn page<E>(_: &Failure<'_, E>) -> Result<(), StepError> {
    Ok(())
}

#[orchestrate(pattern = "user", alert(err = page))]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
