use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

async fn text(_: &graceful::Flow) -> Result<(), String> {
    Ok(())
}

fn not_async(_: &graceful::Flow) -> Result<(), graceful::StepError> {
    Ok(())
}

async fn of_another_type(_: &graceful::Success<'_, String>) -> Result<(), graceful::StepError> {
    Ok(())
}

#[orchestrate(pattern = "user", audit = text, graph = not_async, alert(ok = of_another_type), nexus = missing)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
