//! The notifier sends one notice per failure, not one per failing entity.
//!
//! The alert store, another [`Alerter`](graceful::backends::Alerter), contains the open alert of each entity. The notifier groups
//! them, compares the groups with the notices that the receiver has got, and sends the difference.

mod group;
mod notifier;

use std::future::Future;

use graceful::StepError;

pub use self::{
    group::{Group, Notice},
    notifier::{Checked, Notifier, Settings},
};

/// Where notices are sent.
pub trait Receiver: std::fmt::Debug + Send + Sync + 'static {
    /// Whether the receiver drops alerts that are not sent again from time to time.
    const FORGETS: bool;

    fn send(&self, notice: &Notice) -> impl Future<Output = Result<(), StepError>> + Send;
}
