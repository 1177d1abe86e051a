use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(patern = "user", cache(tll = "1m"), delivery = "backround", on = slef.orchestrator, audit = )]
impl User {
    #[orchestrate(event = "one")]
    async fn one(&self) -> Result<u64, Error> {
        Ok(self.id)
    }

    #[orchestrate(evnt = "two")]
    async fn two(&self) -> Result<u64, Error> {
        self.one().await
    }
}

fn main() {}
