use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", metadata, message)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", metadata(user.id), payload(user.id))]
async fn options(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
