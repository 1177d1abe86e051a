use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

async fn recover(_: &graceful::Failure<'_, Error>) {}

#[orchestrate(pattern = "user", fallback = recover)]
async fn handler(user: User) -> Result<(), Error> {
    drop(user);
    Ok(())
}

fn main() {}
