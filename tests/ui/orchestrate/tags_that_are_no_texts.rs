use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", tags = [1, "eu", true])]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
