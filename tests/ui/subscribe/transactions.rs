//! `tx` names the parameter with the transaction of the inbox.

use graceful::{
    Code, EventData, StepError,
    backends::{Inserting, QueuedFlow, Transaction},
    subscribe,
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

struct Pool;

#[subscribe(event = "user_updated", pattern = "user", tx = txn)]
async fn misspelt(event: EventData<u64>, tx: &mut Open) -> Result<(), StepError> {
    let _ = (event, tx);
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", tx = tx)]
async fn by_value(event: EventData<u64>, tx: Open) -> Result<(), StepError> {
    let _ = (event, tx);
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", tx = tx)]
async fn shared(event: EventData<u64>, tx: &Open) -> Result<(), StepError> {
    let _ = (event, tx);
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", tx = tx)]
async fn nothing_else(tx: &mut Open) -> Result<(), StepError> {
    let _ = tx;
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", tx = result)]
async fn part_of_a_parameter(EventData { result, .. }: EventData<u64>) -> Result<(), StepError> {
    let _ = result;
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", tx = pool)]
async fn not_a_transaction(event: EventData<u64>, pool: &mut Pool) -> Result<(), StepError> {
    let _ = (event, pool);
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", tx = tx)]
async fn without_from(event: EventData<u64>, tx: &mut Open) -> Result<(), Code> {
    let _ = (event, tx);
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", tx = tx, delivery = "inline")]
async fn with_a_delivery(event: EventData<u64>, tx: &mut Open) -> Result<(), StepError> {
    let _ = (event, tx);
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", tx = tx)]
fn not_async(event: EventData<u64>, tx: &mut Open) -> Result<(), StepError> {
    let _ = (event, tx);
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", tx)]
async fn without_a_name(event: EventData<u64>, tx: &mut Open) -> Result<(), StepError> {
    let _ = (event, tx);
    Ok(())
}

fn main() {}
