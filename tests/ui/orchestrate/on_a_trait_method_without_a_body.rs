use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

trait Users {
    #[orchestrate(pattern = "user")]
    async fn user(&self) -> Result<u64, Error>;

    #[orchestrate(pattern = "user", cache = 1)]
    fn count(&self) -> Result<u64, Error>;
}

// Both are there.
async fn caller(users: impl Users) -> Result<u64, Error> {
    users.count()?;
    users.user().await
}

fn main() {}
