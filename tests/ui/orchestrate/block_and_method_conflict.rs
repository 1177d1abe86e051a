use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

use graceful::{StepError, Success};

async fn typed(_: &Success<'_, u64>) -> Result<(), StepError> {
    Ok(())
}

#[orchestrate(pattern = "user", delivery = "background")]
impl User {
    #[orchestrate(audit(ok = typed))]
    async fn one(&self) -> Result<u64, Error> {
        Ok(self.id)
    }
}

fn main() {}
