use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

async fn nobody() -> Result<(), graceful::StepError> {
    Ok(())
}

async fn two(_: &graceful::Flow, _: u64) -> Result<(), graceful::StepError> {
    Ok(())
}

#[orchestrate(pattern = "user", audit = nobody, nexus = two, fallback = nobody)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
