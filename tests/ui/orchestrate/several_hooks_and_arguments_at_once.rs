use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

use graceful::{Failure, Flow, StepError};

async fn hook(_: &Flow) -> Result<(), StepError> {
    Ok(())
}

async fn recover(_: &Failure<'_, Error>) -> u64 {
    1
}

#[orchestrate(
    patern = "user",
    cache(key = user.id, tll = "10m"),
    audit = hook,
    alert(ok = hook, severity = "wrong"),
    graph(to = usr.id),
    fallback = recover
)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

// The function is there.
async fn caller() -> Result<u64, Error> {
    handler(User { id: 1 }).await
}

fn main() {
    drop(caller());
}
