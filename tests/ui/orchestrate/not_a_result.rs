use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user")]
async fn asynchronous(user: User) -> User {
    user
}

#[orchestrate(pattern = "user")]
fn synchronous(user: User) -> User {
    user
}

#[orchestrate(pattern = "user")]
async fn nothing() {}

#[orchestrate(pattern = "user")]
fn future() -> impl Future<Output = u8> {
    async { 1 }
}

fn main() {}
