use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(
    pattern = 1,
    event(name = 'a', failed = b"a"),
    graph(relation = true),
    tags = "billing",
    message = format!("{}", user.id)
)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
