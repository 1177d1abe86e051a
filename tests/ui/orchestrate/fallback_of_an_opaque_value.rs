use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

async fn recover(_: &graceful::Failure<'_, Error>) -> Option<String> {
    None
}

#[orchestrate(pattern = "user", fallback = recover)]
async fn handler(user: User) -> Result<impl std::fmt::Display, Error> {
    Ok(user.id)
}

fn main() {}
