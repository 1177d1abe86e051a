use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

async fn hook(_: &graceful::Flow) -> Result<(), graceful::StepError> {
    Ok(())
}

#[orchestrate(
    pattern = "user",
    pattern = "users",
    cache(key = user.id, ttl = "1m", ttl = "2m"),
    audit = off,
    audit = hook,
    alert(with = hook, with = hook),
    nexus(timeout = "1s", timeout = "2s")
)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
