use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

mod hooks {
    async fn private(_: &graceful::Flow) -> Result<(), graceful::StepError> {
        Ok(())
    }
}

async fn generic_fallback<T>(_: &graceful::Failure<'_, T>) -> Option<T> {
    None
}

#[orchestrate(pattern = "user", nexus = hooks::private, fallback = generic_fallback)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
