use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user")]
async fn option(user: User) -> Option<u64> {
    Some(user.id)
}

#[orchestrate(pattern = "user")]
fn nothing(user: User) {
    drop(user);
}

#[orchestrate(pattern = "user", cache = user.id, event(payload = result))]
fn text(user: User) -> &'static str {
    drop(user);
    "done"
}

fn main() {}
