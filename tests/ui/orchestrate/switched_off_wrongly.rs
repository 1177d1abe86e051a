use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(
    pattern = "user",
    cache(off),
    audit(off = true),
    nexus = false,
    alert = none,
    graph = of,
    schedule = "of",
    event = disabled,
    metadata(off)
)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
