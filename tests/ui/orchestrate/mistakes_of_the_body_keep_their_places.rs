use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user")]
async fn one(user: User) -> Result<u64, Error> {
    let id = "1".parse()?;
    Ok(id)
}

#[orchestrate(pattern = "user")]
async fn two(user: User) -> Result<u64, Error> {
    Err("no")
}

#[orchestrate(pattern = "user")]
async fn three(user: User) -> Result<u64, Error> {
    user.id
}

fn main() {}
