use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", audit(required))]
async fn handler<E>(error: E) -> Result<u64, E> {
    Err(error)
}

fn main() {}
