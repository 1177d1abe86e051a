use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(
    pattern = "{user}",
    event(name = "user_{user.id}", failed = "}"),
    tags = ["{user.id}"],
    graph(relation = "{user}", to = user.id, to_pattern = "{{user}}"),
    alert(severity = "{severity}"),
    delivery = "{mode}",
    cache(key = user.id, ttl = "{minutes}m")
)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
