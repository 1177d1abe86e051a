use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(type = "user", r#event = "user_updated", fn = hook, self = user, if)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
