use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", when = Some(true))]
async fn one(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", when = result.is_some(), payload = off, actor = None)]
async fn two(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
