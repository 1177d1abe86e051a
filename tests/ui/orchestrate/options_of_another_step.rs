use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(
    pattern = "user",
    cache(key = user.id, severity = "error"),
    alert(after = "5m"),
    schedule(severity = "error"),
    audit(ttl = "10m"),
    nexus(failed = "user_lost"),
    graph(max_age = "1h"),
    event(relation = "of")
)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
