use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

use graceful::Failure;

fn not_async(_: &Failure<'_, Error>) -> Option<u64> {
    None
}

async fn result(_: &Failure<'_, Error>) -> Result<u64, Error> {
    Err(Error)
}

async fn value(_: &Failure<'_, Error>) -> u64 {
    1
}

async fn the_error(_: &Error) -> Option<u64> {
    None
}

#[orchestrate(pattern = "user", fallback = not_async)]
async fn one(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", fallback = result)]
async fn two(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", fallback = value)]
async fn three(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", fallback = the_error)]
async fn four(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
