use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(
    pattern = "user",
    cache(key = user.id, ttl = "99999999999999999999y"),
    schedule(after = "1000000000y"),
    audit(timeout = "60days")
)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
