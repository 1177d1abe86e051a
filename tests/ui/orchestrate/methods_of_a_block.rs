use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user")]
impl User {
    #[orchestrate(id = self.idd)]
    async fn one(&self) -> Result<u64, Error> {
        Ok(self.id)
    }

    #[orchestrate(id = self.id)]
    async fn of_none() -> Result<u64, Error> {
        Ok(1)
    }

    #[orchestrate]
    async fn nothing(&self) {}
}

// All of them are there.
async fn caller(user: User) {
    drop(user.one().await);
    drop(User::of_none().await);
    user.nothing().await;
}

fn main() {
    drop(caller(User { id: 1 }));
}
