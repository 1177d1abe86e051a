use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(patern = "user", pattern = "user")]
impl User {
    #[orchestrate(id = self.id)]
    async fn one(&self) -> Result<u64, Error> {
        Ok(self.id)
    }

    #[orchestrate(id = self.id)]
    async fn two(&self) -> Result<u64, Error> {
        Ok(self.id)
    }
}

fn main() {}
