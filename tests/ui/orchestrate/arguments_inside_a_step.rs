use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(cache(key = user.id, pattern = "user"), event(name = "a", tags = ["a"], delivery = "background"))]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
