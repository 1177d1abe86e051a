use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

const HOOK: &str = "hook";

struct Hook;

#[orchestrate(pattern = "user", audit = HOOK, nexus = Hook, alert(ok = Error), fallback = HOOK)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
