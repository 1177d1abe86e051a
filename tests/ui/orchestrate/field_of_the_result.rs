use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache = result.idd, event(payload = result.name))]
async fn handler(user: User) -> Result<User, Error> {
    Ok(user)
}

fn main() {}
