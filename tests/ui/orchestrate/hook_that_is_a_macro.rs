use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", audit = hook!(), cache(key = user.id, ttl = minutes!(10)), tags = tags!["a"])]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
