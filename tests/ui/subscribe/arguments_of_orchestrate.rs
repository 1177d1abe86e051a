//! Arguments of `#[orchestrate]` that a subscriber does not have.

use graceful::{Code, EventData, Failure, orchestrate, subscribe};

#[subscribe(event(name = "user_updated", failed = "user_lost"), pattern = "user")]
async fn event_list(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", idempotent = event.result)]
async fn idempotent(event: EventData<u64>) -> Result<(), Code> {
    let _ = event;
    Ok(())
}

async fn recover(_: &Failure<'_, Code>) -> Option<()> {
    Some(())
}

#[subscribe(event = "user_updated", pattern = "user", fallback = recover)]
async fn fallback(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", cache(key = event.result, read, refresh = "8m"))]
async fn reader(event: EventData<u64>) -> Result<u64, Code> {
    Ok(event.result)
}

#[subscribe(event = "user_updated", pattern = "user", on = orchestrator)]
async fn orchestrator(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
#[orchestrate(pattern = "user")]
async fn both(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[orchestrate(pattern = "user")]
#[graceful::subscribe(event = "user_updated", pattern = "user")]
async fn both_in_the_other_order(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
#[subscribe(event = "user_deleted", pattern = "user")]
async fn two_events(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", alert(severity = "high"), audit = no, cache(ttl = "1m"))]
async fn shared_arguments(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

// Every function is there.
fn main() {
    let _ = (event_list, idempotent, fallback, reader, orchestrator, both, both_in_the_other_order);
    let _ = (two_events, shared_arguments);
}
