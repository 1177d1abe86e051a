use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache(key = user.id, required), audit(required))]
async fn handler(user: User) -> Result<u64, Box<dyn std::error::Error>> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", cache(key = user.id, required), audit(required))]
async fn other(user: User) -> Result<u64, String> {
    Ok(user.id)
}

fn main() {}
