//! A subscriber returns a `Result`.

use graceful::{Code, EventData, subscribe};

#[subscribe(event = "user_updated", pattern = "user")]
async fn returns_nothing(event: EventData<u64>) {
    let _ = event;
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn returns_a_number(event: EventData<u64>) -> u64 {
    event.result
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn returns_an_option(event: EventData<u64>) -> Option<u64> {
    Some(event.result)
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn never_returns(event: EventData<u64>) -> ! {
    panic!("{event:?}")
}

#[subscribe(event = "user_updated", pattern = "user")]
async fn returns_a_result_of_a_result(event: EventData<u64>) -> Result<(), Code> {
    Ok(event.result)
}

fn main() {}
