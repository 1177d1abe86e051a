use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", id = user.id as Strin, actor = json!({}), cache = User::key(&user), payload = vec![user.id, nope], when = user.id == "x", metadata = |x| x)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
