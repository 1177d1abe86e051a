use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

use graceful::Failure;

async fn two(_: &Failure<'_, Error>, _: u64) -> Option<u64> {
    None
}

async fn by_value(_: Failure<'_, Error>) -> Option<u64> {
    None
}

#[orchestrate(pattern = "user", fallback = two)]
async fn one(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", fallback(with = by_value))]
async fn other(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
