use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

mod own {
    pub enum Result<T> {
        Fine(T),
    }
}
use own::Result;

#[orchestrate(pattern = "user")]
async fn handler(user: User) -> Result<u64> {
    Result::Fine(user.id)
}

fn main() {}
