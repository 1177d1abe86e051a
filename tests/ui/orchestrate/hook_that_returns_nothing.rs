use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

async fn hook(_: &graceful::Flow) {}

async fn ok(_: &graceful::Success<'_, u64>) {}

async fn err(_: &graceful::Failure<'_, Error>) -> Result<u8, graceful::StepError> {
    Ok(1)
}

#[orchestrate(pattern = "user", audit = hook, alert(ok = ok, err = err))]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
