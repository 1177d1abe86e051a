use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(
    pattern = "user",
    cache(key = user.id, expires = "10m"),
    event(name = "user_updated", error = "user_lost"),
    graph(edge = "owned_by", target = user.id),
    schedule(at = "5m"),
    alert(level = "error"),
    metadata(source = "web")
)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
