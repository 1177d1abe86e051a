//! Arguments that are missing, misspelt, or given twice.

use graceful::{Code, EventData, subscribe};

#[subscribe(pattern = "user")]
async fn without_an_event(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[subscribe(event = "user_updated")]
async fn without_a_pattern(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[subscribe]
async fn without_any(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[subscribe(evnt = "user_updated", patern = "user")]
async fn misspelt(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", attempt = 5, time_out = "1s", servce = "users")]
async fn own_arguments_misspelt(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", queue = "users", ttl = "1s", failed = "user_lost")]
async fn unknown(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", event = "user_deleted")]
async fn twice(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[subscribe(event = "", pattern = " ", service = "", name = "")]
async fn empty(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[subscribe(event, pattern = "user", service, attempts)]
async fn without_values(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[subscribe(event = user_updated, pattern = user)]
async fn without_quotes(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[subscribe(event = "user_{event.result}", pattern = "user")]
async fn with_a_hole(event: EventData<u64>) -> Result<(), Code> {
    let _ = event;
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", attempts = 0, timeout = "0s", from = "begin")]
async fn three_at_once(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", attempts = "5", timeout = 5, from = start)]
async fn of_other_types(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", attempts = -1, timeout = "5", from = "the beginning of time")]
async fn out_of_range(_event: EventData<u64>) -> Result<(), Code> {
    Ok(())
}

#[subscribe(event = "user_updated", pattern = "user", attempts = 1001, id = evnt.result)]
async fn too_many(event: EventData<u64>) -> Result<(), Code> {
    let _ = event;
    Ok(())
}

fn main() {}
