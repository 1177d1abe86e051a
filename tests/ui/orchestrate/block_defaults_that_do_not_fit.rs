use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache(ttl = "1m"), tx = tx, actor = nobody, fallback = last_good)]
impl User {
    #[orchestrate(event = "one")]
    async fn one(&self) -> Result<u64, Error> {
        Ok(self.id)
    }

    #[orchestrate(cache = self.id, payload = self.id)]
    async fn two(&self) -> Result<u64, Error> {
        self.one().await
    }
}

fn main() {}
