use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

async fn text(_: &graceful::Failure<'_, Error>) -> Option<String> {
    None
}

async fn of_another_error(_: &graceful::Failure<'_, String>) -> Option<u64> {
    None
}

#[orchestrate(pattern = "user", fallback = text)]
async fn one(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", fallback = of_another_error)]
async fn two(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
