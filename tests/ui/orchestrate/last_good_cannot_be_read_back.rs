use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[derive(serde::Serialize)]
struct Written;

#[orchestrate(pattern = "user", cache = user.id, fallback = last_good)]
async fn handler(user: User) -> Result<Written, Error> {
    drop(user);
    Ok(Written)
}

fn main() {}
