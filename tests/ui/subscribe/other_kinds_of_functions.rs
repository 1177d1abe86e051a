//! Functions that the reader of events cannot call.

use graceful::{Code, EventData, subscribe};

#[subscribe(event = "user_updated", pattern = "user")]
fn not_async(event: EventData<u64>) -> Result<(), Code> {
    let _ = event;
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
fn returns_a_future(event: EventData<u64>) -> impl Future<Output = Result<(), Code>> {
    let _ = event;
    async { Ok(()) }
}

#[subscribe(event = "user_updated", pattern = "user")]
const fn constant(event: EventData<u64>) -> Result<(), Code> {
    std::mem::forget(event);
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
async unsafe fn not_safe(event: EventData<u64>) -> Result<(), Code> {
    let _ = event;
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
async extern "C" fn of_another_language(event: EventData<u64>) -> Result<(), Code> {
    let _ = event;
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn of_any_type<T: serde::de::DeserializeOwned>(event: EventData<T>) -> Result<(), Code> {
    let _ = event;
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn of_any_length<const N: usize>(event: EventData<[u8; N]>) -> Result<(), Code> {
    let _ = event;
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn of_any_lifetime<'a>(event: EventData<std::borrow::Cow<'a, str>>) -> Result<(), Code> {
    let _ = event;
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user")]
unsafe fn several_at_once<T>(event: EventData<T>) -> Result<(), Code> {
    let _ = event;
    Ok(())
}

fn main() {}
