//! What is no transaction, and an error that has no room for a flow that could not be stored.

use std::ops::{Deref, DerefMut};

use graceful::{
    backends::{Inserting, QueuedFlow, Transaction},
    orchestrate,
};

struct Store;

struct Open;

impl Transaction<Store> for Open {
    fn insert(&mut self, _: QueuedFlow) -> Inserting<'_> {
        Box::pin(async { Ok(()) })
    }

    fn lock(&mut self) -> Option<Inserting<'_>> {
        None
    }

    fn locks_all(&self) -> bool {
        false
    }
}

/// As a transaction of `sqlx`, which derefs to its connection.
struct Guard(Open);

impl Deref for Guard {
    type Target = Open;

    fn deref(&self) -> &Open {
        &self.0
    }
}

impl DerefMut for Guard {
    fn deref_mut(&mut self) -> &mut Open {
        &mut self.0
    }
}

struct Pool;

struct Error;

type Alias<'a> = &'a mut Open;

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
async fn guard_by_value(tx: Guard) -> Result<u64, graceful::StepError> {
    let _ = tx;
    Ok(1)
}

#[orchestrate(pattern = "user", delivery = "durable", tx = tx)]
async fn mutable_guard_by_value(mut tx: Guard) -> Result<u64, graceful::StepError> {
    let _ = &mut tx;
    Ok(1)
}

/// It has no error.
#[orchestrate(pattern = "user", delivery = "durable", tx = tx)]
async fn alias_of_a_reference(tx: Alias<'_>) -> Result<u64, graceful::StepError> {
    let _ = tx;
    Ok(1)
}

#[orchestrate(pattern = "user", delivery = "durable", tx = tx)]
async fn another_error(tx: &mut Open) -> Result<u64, Error> {
    let _ = tx;
    Ok(1)
}

fn main() {
    let _ = (of_a_pool, by_value, guard_by_value, mutable_guard_by_value, another_error);
}
