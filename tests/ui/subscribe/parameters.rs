//! Parameters for which there is no value.

use std::sync::Arc;

use graceful::{Code, EventData, State, backends::ReceivedEvent, subscribe};
use serde::Deserialize;

#[derive(Clone)]
struct Mailer;

struct NotDeserialize;

#[derive(Deserialize)]
struct NotClone;

type Event<'a> = &'a EventData<u64>;

#[subscribe(event = "user_updated", pattern = "user")]
async fn none() -> Result<(), Code> {
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn plain(event: u64) -> Result<(), Code> {
    let _ = event;
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn without_state(event: EventData<u64>, mailer: Mailer) -> Result<(), Code> {
    let _ = (event, mailer);
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn cannot_be_decoded(event: EventData<NotDeserialize>) -> Result<(), Code> {
    let _ = event;
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn cannot_be_cloned(event: EventData<u64>, state: State<NotClone>) -> Result<(), Code> {
    let _ = (event, state);
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn without_its_arc(event: ReceivedEvent) -> Result<(), Code> {
    let _ = event;
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn borrowed(event: &EventData<u64>) -> Result<(), Code> {
    let _ = event;
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn borrowed_by_another_name(event: Event<'_>) -> Result<(), Code> {
    let _ = event;
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn borrowed_inside(event: EventData<&str>) -> Result<(), Code> {
    let _ = event;
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn borrowed_without_tx(event: EventData<u64>, tx: &mut Mailer) -> Result<(), Code> {
    let _ = (event, tx);
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn of_any_type(event: impl Into<u64>) -> Result<(), Code> {
    let _ = event;
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn unknown(event: EventData<Usr>, raw: Arc<ReceivedEvent>) -> Result<(), Code> {
    let _ = (event, raw);
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn two_at_once(event: &EventData<u64>, mailer: &Mailer) -> Result<(), Code> {
    let _ = (event, mailer);
    Ok(())
}

fn main() {}
