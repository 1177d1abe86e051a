use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache.ttl = "10m", cache::key = user.id, graceful::event = "a")]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
