//! An attribute cannot see the block around its function.

use graceful::{Code, EventData, subscribe};

struct User;

impl User {
    #[subscribe(event = "user_updated", pattern = "user")]
    async fn on_update(event: EventData<u64>) -> Result<(), Code> {
        let _ = event;
        Ok(())
    }
}

fn main() {
    drop(User);
}
