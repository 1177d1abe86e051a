use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

const ENTITY: &str = "user";
const UPDATED: &str = "user_updated";

mod events {
    pub const LOST: &str = "user_lost";
}

#[orchestrate(pattern = "user", event = UPDATED)]
async fn one(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", event(name = UPDATED, failed = events::LOST))]
async fn two(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", event = events::LOST)]
async fn three(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = ENTITY, event)]
async fn four(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", event = 5)]
async fn five(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
