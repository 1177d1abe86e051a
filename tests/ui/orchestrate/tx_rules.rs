//! What `tx` does not go with.

use graceful::{Failure, StepError, orchestrate};

struct Transaction;

async fn recover(_: &Failure<'_, StepError>) -> Option<u64> {
    None
}

#[orchestrate(pattern = "user", delivery = "durable", tx = txn)]
async fn misspelt(tx: &mut Transaction) -> Result<u64, StepError> {
    let _ = tx;
    Ok(1)
}

#[orchestrate(pattern = "user", delivery = "background", tx = tx)]
async fn inline(tx: &mut Transaction) -> Result<u64, StepError> {
    let _ = tx;
    Ok(1)
}

#[orchestrate(pattern = "user", delivery = "durable", tx = tx)]
fn not_async(tx: &mut Transaction) -> Result<u64, StepError> {
    let _ = tx;
    Ok(1)
}

#[orchestrate(pattern = "user", delivery = "durable", tx = tx, audit(required))]
async fn with_a_required_step(tx: &mut Transaction) -> Result<u64, StepError> {
    let _ = tx;
    Ok(1)
}

#[orchestrate(pattern = "user", delivery = "durable", tx = tx, fallback = recover)]
async fn with_a_fallback(tx: &mut Transaction) -> Result<u64, StepError> {
    let _ = tx;
    Ok(1)
}

fn main() {
    let _ = (misspelt(&mut Transaction), inline(&mut Transaction), not_async(&mut Transaction));
    let _ = (with_a_required_step(&mut Transaction), with_a_fallback(&mut Transaction));
}
