use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(
    pattern = 42,
    cache(key = user.id, ttl = 600, version = "1.0"),
    schedule(after = 5.0),
    alert(severity = 1, on = true),
    tags = 7,
    delivery = 0
)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
