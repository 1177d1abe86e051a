use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache = "user-list", id = "all")]
async fn handler() -> Result<u64, Error> {
    Ok(User { id: 1 }.id)
}

fn main() {}
