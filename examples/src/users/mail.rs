//! The mail service, which checks addresses.

use std::{future::Future, io};

/// The answer of the mail service.
pub type Answer = io::Result<bool>;

/// The mail service.
pub trait Mail: Send + Sync + 'static {
    /// Whether the address accepts mail.
    fn gets_through(&self, address: &str) -> impl Future<Output = Answer> + Send;
}

/// The mail service of the example, which accepts every well-formed address.
#[derive(Clone, Copy, Debug)]
pub struct AnyMail;

impl Mail for AnyMail {
    async fn gets_through(&self, address: &str) -> Answer {
        tokio::task::yield_now().await;
        Ok(address.split_once('@').is_some_and(|(who, at)| !who.is_empty() && at.contains('.')))
    }
}
