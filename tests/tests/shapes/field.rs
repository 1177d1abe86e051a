//! What the handlers of public applications brought up, made small.

use std::{error::Error, future::Future, pin::Pin};

use graceful::orchestrate;

use super::{both, even};

trait Waits {
    #[allow(
        clippy::type_complexity,
        reason = "told here, where it is declared, and not of its implementations"
    )]
    fn wait(&self, n: u64) -> Pin<Box<dyn Future<Output = Result<u64, Box<dyn Error>>> + '_>>;
}

struct Clock;

impl Waits for Clock {
    #[orchestrate(pattern = "n", id = n)]
    fn wait(&self, n: u64) -> Pin<Box<dyn Future<Output = Result<u64, Box<dyn Error>>> + '_>> {
        Box::pin(async move { Ok(even(n)?) })
    }
}

#[test]
fn a_type_that_a_trait_asks_for_is_complex_only_there() {
    both(async |n| Clock.wait(n).await.map_err(|error| *error.downcast().unwrap()));
}
