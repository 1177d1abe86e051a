use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache(key = result.id, value = result), event(payload = result))]
async fn handler(user: User) -> Result<User, Error> {
    Ok(user)
}

fn main() {}
