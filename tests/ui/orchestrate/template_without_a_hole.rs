use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache = "{{user.id}}", id = "}}", payload = "{{}}")]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
