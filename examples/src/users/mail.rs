//! Another service, which knows whether mail gets through.

use std::{future::Future, io};

/// What the service answers.
pub type Answer = io::Result<bool>;

/// The other service.
pub trait Mail: Send + Sync + 'static {
    /// Whether mail gets through to this address.
    fn gets_through(&self, address: &str) -> impl Future<Output = Answer> + Send;
}

/// The one of the example: whatever looks like an address.
#[derive(Clone, Copy, Debug)]
pub struct AnyMail;

impl Mail for AnyMail {
    async fn gets_through(&self, address: &str) -> Answer {
        tokio::task::yield_now().await;
        Ok(address.split_once('@').is_some_and(|(who, at)| !who.is_empty() && at.contains('.')))
    }
}
