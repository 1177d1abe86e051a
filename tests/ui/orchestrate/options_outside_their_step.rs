use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(
    pattern = "user",
    key = user.id,
    ttl = "10m",
    on_err = "keep",
    failed = "user_lost",
    severity = "error",
    after = "5m",
    relation = "of",
    max_age = "1h",
    required,
    timeout = "2s",
    last_good
)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
