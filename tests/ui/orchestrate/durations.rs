use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(
    pattern = "user",
    cache(key = user.id, ttl = "10", timeout = "0s"),
    schedule(after = "10 minuts", timeout = 2),
    fallback(last_good, max_age = "-5s"),
    audit(timeout = ""),
    alert(timeout = 10s),
    nexus(timeout = Duration::from_secs(1)),
    graph(timeout = "m"),
    event(timeout = "1s5")
)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
