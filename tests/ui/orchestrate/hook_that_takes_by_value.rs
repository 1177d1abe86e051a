use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

async fn hook(_: graceful::Flow) -> Result<(), graceful::StepError> {
    Ok(())
}

async fn ok(_: graceful::Success<'_, u64>) -> Result<(), graceful::StepError> {
    Ok(())
}

#[orchestrate(pattern = "user", audit = hook, alert(ok = ok))]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
