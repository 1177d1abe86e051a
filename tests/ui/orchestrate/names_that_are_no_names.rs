use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "us\ner", event = "user\tupdated", tags = ["", "a\u{7f}"], graph(relation = "a\0b"))]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
