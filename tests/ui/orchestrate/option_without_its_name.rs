use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

async fn hook(_: &graceful::Flow) -> Result<(), graceful::StepError> {
    Ok(())
}

#[orchestrate(pattern("user"), cache(user.id), event("user_updated"), audit(hook), tags("a"), fallback(hook))]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
