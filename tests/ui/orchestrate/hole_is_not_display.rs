use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache = "users/{user}", message = "{result} updated")]
async fn handler(user: User) -> Result<User, Error> {
    Ok(user)
}

fn main() {}
