//! What a reader cannot be beside `read`.

use graceful::{Code, Failure, Flow, StepError, Success, orchestrate};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct User {
    id: u64,
    version: u64,
}

fn user(id: u64) -> Result<User, Code> {
    Ok(User { id, version: 1 })
}

async fn hook(_: &Flow) -> Result<(), StepError> {
    Ok(())
}

async fn stored(_: &Success<'_, User>) -> Result<(), StepError> {
    Ok(())
}

async fn failed(_: &Failure<'_, Code>) -> Result<(), StepError> {
    Ok(())
}

#[orchestrate(pattern = "user", cache(key = id, read, value = result.id, version = result.version))]
async fn another_value(id: u64) -> Result<User, Code> {
    user(id)
}

#[orchestrate(pattern = "user", cache(key = id, read, touches(order = id, team = id)))]
async fn touching(id: u64) -> Result<User, Code> {
    user(id)
}

#[orchestrate(pattern = "user", cache(key = id, read, on_ok = "put", on_err = "keep"))]
async fn another_end(id: u64) -> Result<User, Code> {
    user(id)
}

#[orchestrate(pattern = "user", cache(key = id, read, shared))]
async fn shared(id: u64) -> Result<User, Code> {
    user(id)
}

#[orchestrate(pattern = "user", cache(key = id, read, with = hook))]
async fn hooked(id: u64) -> Result<User, Code> {
    user(id)
}

#[orchestrate(pattern = "user", cache(key = id, read, ok = stored, err = failed))]
async fn typed_hooks(id: u64) -> Result<User, Code> {
    user(id)
}

#[orchestrate(pattern = "user", cache(key = id, read, required), audit(required))]
async fn requiring(id: u64) -> Result<User, StepError> {
    Ok(User { id, version: 1 })
}

#[orchestrate(pattern = "user", cache(key = id, read), delivery = "durable")]
async fn durable(id: u64) -> Result<User, Code> {
    user(id)
}

#[orchestrate(pattern = "user", cache(key = id, read), delivery = "durable", tx = tx)]
async fn through_a_transaction(tx: &mut u64, id: u64) -> Result<User, StepError> {
    let _ = tx;
    Ok(User { id, version: 1 })
}

#[orchestrate(pattern = "user", cache(key = id, read, required = false))]
async fn unrequired(id: u64) -> Result<User, Code> {
    user(id)
}

fn main() {
    let _ = (another_value(1), touching(1), another_end(1), shared(1), hooked(1), typed_hooks(1));
    let _ = (requiring(1), durable(1), through_a_transaction(&mut 1, 1), unrequired(1));
}
