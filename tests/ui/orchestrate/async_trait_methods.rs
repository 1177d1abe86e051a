use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

use async_trait::async_trait;

#[async_trait]
trait Users {
    async fn user(&self, id: u64) -> Result<u64, Error>;
}

#[async_trait]
impl Users for User {
    #[orchestrate(pattern = "user", cahce = id, id = idd, actor = self.name)]
    async fn user(&self, id: u64) -> Result<u64, Error> {
        Ok(self.id + id)
    }
}

fn main() {}
