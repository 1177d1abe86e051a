use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache { key = user.id }, alert[on = "all"])]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
