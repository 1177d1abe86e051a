use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

use graceful::{Failure, Success, StepError};

#[orchestrate(pattern = "user", cache = id, alert(ok = ok::<u8>), fallback = recover::<_>)]
async fn generic<T: std::fmt::Display>(id: T) -> Result<T, Error> {
    Ok(id)
}
async fn ok<T>(_: &Success<'_, T>) -> Result<(), StepError> {
    Ok(())
}
async fn recover<T>(_: &Failure<'_, Error>) -> Option<T> {
    None
}

#[orchestrate(pattern = "user", cache = id)]
async fn no_bound<T>(id: T) -> Result<T, Error> {
    Ok(id)
}

#[orchestrate(pattern = "user", payload = id)]
fn sync_no_bound<T>(id: T) -> Result<T, Error> {
    Ok(id)
}

fn main() {}
