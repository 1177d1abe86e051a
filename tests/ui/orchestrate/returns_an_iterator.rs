use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user")]
fn iterator(user: User) -> impl Iterator<Item = u64> {
    std::iter::once(user.id)
}

#[orchestrate(pattern = "user")]
async fn display(user: User) -> impl std::fmt::Display {
    user.id
}

fn main() {}
