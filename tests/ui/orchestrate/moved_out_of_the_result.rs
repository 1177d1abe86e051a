use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

fn key_of(user: User) -> u64 {
    user.id
}

#[orchestrate(pattern = "user", cache = key_of(result))]
async fn handler(user: User) -> Result<User, Error> {
    Ok(user)
}

fn main() {}
