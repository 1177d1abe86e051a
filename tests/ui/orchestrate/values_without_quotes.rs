use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(
    pattern = user,
    cache(key = user.id, on_ok = invalidate, on_err = keeep),
    alert(on = all, severity = Severity::Critical),
    delivery = Background,
    tags = [billing, "eu"],
    message = user.id
)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
