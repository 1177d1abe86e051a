use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache = id, payload = (id, copy), event(payload = result))]
async fn handler(user: User) -> Result<u64, Error> {
    let id = user.id;
    let copy = id;
    Ok(copy)
}

fn main() {}
