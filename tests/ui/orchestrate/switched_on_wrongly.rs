use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", audit, nexus = true, alert = on, graph = "on", cache = true, fallback)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", fallback = true, event = true)]
async fn recovered(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
