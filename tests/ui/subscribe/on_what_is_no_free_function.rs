//! Where a subscriber cannot be.

use graceful::{Code, EventData, subscribe};

#[subscribe(event = "user_updated", pattern = "user")]
struct Type;

struct User;

#[subscribe(event = "user_updated", pattern = "user")]
impl User {
    async fn in_a_block(_event: EventData<u64>) -> Result<(), Code> {
        Ok(())
    }
}

impl User {
    #[subscribe(event = "user_updated", pattern = "user")]
    async fn method(&self, event: EventData<u64>) -> Result<(), Code> {
        let _ = (self, event);
        Ok(())
    }

    #[subscribe(event = "user_updated", pattern = "user")]
    async fn of_its_block(event: EventData<Self>) -> Result<(), Code> {
        let _ = event;
        Ok(())
    }
}

trait Reads {
    #[subscribe(event = "user_updated", pattern = "user")]
    async fn without_a_body(event: EventData<u64>) -> Result<(), Code>;

    #[subscribe(event = "user_updated", pattern = "user")]
    async fn of_any(self, event: EventData<u64>) -> Result<(), Code>
    where
        Self: Sized,
    {
        let _ = event;
        Ok(())
    }
}

#[subscribe(event = "user_updated", pattern = "user")]
mod module {}

fn main() {
    #[subscribe(event = "user_updated", pattern = "user")]
    let _closure = async |_: EventData<u64>| Ok::<(), Code>(());
}
