use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

trait Users {
    #[orchestrate(pattern = "user", cache = self.id)]
    async fn user(&self) -> Result<u64, Error> {
        Ok(1)
    }

    #[orchestrate(cache = 1)]
    fn count(&self) -> Result<u64, Error> {
        Ok(1)
    }
}

fn main() {}
