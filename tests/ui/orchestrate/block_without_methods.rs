use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user")]
impl User {}

#[orchestrate(pattern = "user")]
impl From<User> for u64 {
    fn from(user: User) -> Self {
        user.id
    }
}

fn main() {}
