use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

use graceful::{StepError, Success};

impl User {
    async fn seen(&self, _: &Success<'_, u64>) -> Result<(), StepError> {
        Ok(())
    }

    #[orchestrate(pattern = "user", audit(ok = Self::seen), nexus(ok = Self::sen))]
    async fn handler(&self) -> Result<u64, Error> {
        Ok(self.id)
    }
}

fn main() {}
