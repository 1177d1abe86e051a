use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

async fn hook(_: &graceful::Flow) -> Result<(), graceful::StepError> {
    Ok(())
}

#[orchestrate(pattern = "user", audit(with = hook, ok = hook), nexus(with = hook, err = hook, required = 1))]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", delivery = "durable", audit(ok = hook, err = hook))]
async fn later(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
