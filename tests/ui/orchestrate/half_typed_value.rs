use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache = )]
async fn one(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", id = user.id +, cache = user.id)]
async fn two(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(cache = user., event = "user_updated", pattern =)]
async fn three(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

// Each function is there.
async fn caller() -> Result<u64, Error> {
    one(User { id: 1 }).await?;
    two(User { id: 1 }).await?;
    three(User { id: 1 }).await
}

fn main() {
    drop(caller());
}
