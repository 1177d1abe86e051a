use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user")]
trait Users {
    async fn user(&self) -> Result<u64, Error>;
}

#[orchestrate(pattern = "user")]
mod users {
    pub const ONE: u64 = 1;
}

#[orchestrate(pattern = "user")]
const TWO: u64 = 2;

#[orchestrate(pattern = "user")]
static THREE: u64 = 3;

#[orchestrate(pattern = "user")]
use std::fmt::Debug;

#[orchestrate(pattern = "user")]
unsafe extern "C" {
    safe fn foreign() -> u64;
}

#[orchestrate(pattern = "user")]
macro_rules! nothing {
    () => {};
}

// All of them are there.
fn is_there(_: &(impl Users + Debug)) -> u64 {
    nothing!();
    users::ONE + TWO + THREE + foreign()
}

fn main() {}
