use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user")]
fn never(user: User) -> ! {
    panic!("{}", user.id)
}

#[orchestrate(pattern = "user")]
async fn never_async(user: User) -> ! {
    panic!("{}", user.id)
}

#[orchestrate(pattern = "user")]
fn tuple(user: User) -> (u64, Result<u64, Error>) {
    (1, Ok(user.id))
}

#[orchestrate(pattern = "user")]
async fn generic<T>(user: T) -> T {
    user
}

#[orchestrate(pattern = "user")]
fn dynamic(user: User) -> Box<dyn std::fmt::Display> {
    Box::new(user.id)
}

fn main() {}
