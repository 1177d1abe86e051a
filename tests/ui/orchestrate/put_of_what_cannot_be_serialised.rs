use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache(key = user.id, on_ok = "put"))]
async fn handler(user: User) -> Result<User, Error> {
    Ok(user)
}

fn main() {}
