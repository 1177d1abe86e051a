use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user")]
struct Handler;

#[orchestrate(pattern = "user")]
const fn handler() -> Result<u64, Error> {
    Ok(1)
}

trait Handles {
    #[orchestrate(pattern = "user")]
    async fn handle(&self) -> Result<u64, Error>;
}

#[orchestrate(pattern = "user")]
impl User {
    async fn nobody_carries_it(&self) -> Result<u64, Error> {
        Ok(self.id)
    }
}

fn main() {}
