use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache = "users", actor = "system", id = "user:1", payload = "hello world")]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
