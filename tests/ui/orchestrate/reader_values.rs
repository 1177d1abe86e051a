//! Values that cannot be stored, or cannot be read back.

use graceful::{Code, orchestrate};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct Written;

#[derive(Deserialize)]
struct Read;

#[orchestrate(pattern = "user", cache(key = id, read))]
async fn not_deserialize(id: u64) -> Result<Written, Code> {
    let _ = id;
    Ok(Written)
}

#[orchestrate(pattern = "user", cache(key = id, read))]
fn not_deserialize_at_once(id: u64) -> Result<Option<Written>, Code> {
    let _ = id;
    Ok(None)
}

#[orchestrate(pattern = "user", cache(key = id, read))]
async fn not_serialize(id: u64) -> Result<Read, Code> {
    let _ = id;
    Ok(Read)
}

#[orchestrate(pattern = "user", cache(key = id, read), payload = id)]
async fn not_serialize_beside_a_payload(id: u64) -> Result<Read, Code> {
    let _ = id;
    Ok(Read)
}

#[orchestrate(pattern = "user", cache(key = id, read))]
async fn borrowing(id: &str) -> Result<&str, Code> {
    Ok(id)
}

#[orchestrate(pattern = "user", cache(key = id, read))]
async fn one_part(id: u64) -> Result<(u64, Written), Code> {
    Ok((id, Written))
}

fn main() {
    let _ = (not_deserialize(1), not_deserialize_at_once(1), not_serialize(1));
    let _ = (not_serialize_beside_a_payload(1), borrowing("1"), one_part(1));
}
