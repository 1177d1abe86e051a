use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", crate = "x y")]
async fn one(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", crate = 1)]
async fn two(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", crate)]
async fn three(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
