use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(cache = user.id)]
#[orchestrate(pattern = "user", event = "user_updated")]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user")]
#[graceful::orchestrate(delivery = "background")]
impl User {
    #[orchestrate(pattern = "user", event = "one")]
    async fn one(&self) -> Result<u64, Error> {
        Ok(self.id)
    }
}

// Both functions are there.
async fn caller(user: User) -> Result<u64, Error> {
    user.one().await?;
    handler(user).await
}

fn main() {
    drop(caller(User { id: 1 }));
}
