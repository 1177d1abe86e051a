use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", on = "nope")]
async fn text(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", on = orchestrator)]
async fn unknown(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", on = self.orchestrator)]
async fn without_self(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", on)]
async fn alone(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
