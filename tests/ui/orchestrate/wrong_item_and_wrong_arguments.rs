use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(patern = "user", delivery = "backround")]
struct Handler;

trait Users {
    #[orchestrate(pattern = "user", cache(tll = "10m"))]
    async fn user(&self) -> Result<u64, Error>;
}

fn main() {}
