use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

fn key_of(user: User) -> u64 {
    user.id
}

#[orchestrate(pattern = "user", cache = key_of(user))]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
