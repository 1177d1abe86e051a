use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

use graceful::{Failure, StepError};
use std::cell::Cell;

struct NotSync(Cell<u64>);

async fn page(_: &Failure<'_, NotSync>) -> Result<(), StepError> {
    Ok(())
}

#[orchestrate(pattern = "user", alert(err = page))]
async fn handler(user: User) -> Result<u64, NotSync> {
    Err(NotSync(Cell::new(user.id)))
}

fn main() {}
