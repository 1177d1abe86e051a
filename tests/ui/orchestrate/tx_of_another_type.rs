//! What is no transaction, and an error that has no room for a flow that could not be stored.

use graceful::orchestrate;

struct Open;

impl graceful::__private010::Transaction for Open {
    fn insert(&mut self, _: graceful::backends::QueuedFlow) -> graceful::__private010::Inserting<'_> {
        Box::pin(async { Ok(()) })
    }

    fn lock(&mut self) -> Option<graceful::__private010::Inserting<'_>> {
        None
    }

    fn locks_all(&self) -> bool {
        false
    }
}

struct Pool;

struct Error;

#[orchestrate(pattern = "user", delivery = "durable", tx = pool)]
async fn of_a_pool(pool: &mut Pool) -> Result<u64, graceful::StepError> {
    let _ = pool;
    Ok(1)
}

#[orchestrate(pattern = "user", delivery = "durable", tx = pool)]
async fn by_value(pool: Pool) -> Result<u64, graceful::StepError> {
    let _ = pool;
    Ok(1)
}

#[orchestrate(pattern = "user", delivery = "durable", tx = tx)]
async fn another_error(tx: &mut Open) -> Result<u64, Error> {
    let _ = tx;
    Ok(1)
}

fn main() {
    let _ = (of_a_pool, by_value, another_error);
}
