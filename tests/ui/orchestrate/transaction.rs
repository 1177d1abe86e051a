use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", delivery = "inline", tx = user)]
async fn not_durable(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", delivery = "durable", tx = user.tx)]
async fn field(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", delivery = "durable", tx = usr)]
async fn misspelt(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", delivery = "durable", tx = 1)]
async fn number(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
