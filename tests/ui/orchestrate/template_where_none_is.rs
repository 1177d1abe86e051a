use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(
    pattern = "{user}",
    event = "user_{user.id}",
    cache(key = user.id, version = "{user.id}"),
    when = "{user.id}",
    tx = "{user}",
    on = "{user}"
)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
