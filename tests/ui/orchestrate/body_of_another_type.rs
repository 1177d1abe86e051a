use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache = user.id)]
async fn wrong_ok(user: User) -> Result<u64, Error> {
    Some(user.id)
}

fn main() {}
