use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

struct Handler {
    #[orchestrate(pattern = "user")]
    id: u64,
}

enum Handlers {
    #[orchestrate(pattern = "user")]
    One,
}

fn handler(#[orchestrate(pattern = "user")] user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
