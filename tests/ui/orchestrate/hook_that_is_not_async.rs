use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

fn hook(_: &graceful::Flow) -> Result<(), graceful::StepError> {
    Ok(())
}

fn ok(_: &graceful::Success<'_, u64>) {}

fn err(_: &graceful::Failure<'_, Error>) -> bool {
    true
}

#[orchestrate(pattern = "user", audit = hook, alert(ok = ok, err = err))]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
