use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

async fn hook(_: &graceful::Flow) -> Result<(), String> {
    Ok(())
}

#[orchestrate(pattern = "user", audit = hook)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
