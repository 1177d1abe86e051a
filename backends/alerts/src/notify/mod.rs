//! Receivers of alerts, told of failures and not of each entity that fails.
//!
//! The book, another [`Alerter`](graceful::backends::Alerter), knows the open alert of each entity. The notifier sums them up in
//! groups, compares them with what the receiver was told, and tells it the difference.

mod group;
mod notifier;

use std::future::Future;

use graceful::StepError;

pub use self::{
    group::{Group, Notice},
    notifier::{Checked, Notifier, Settings},
};

/// Who is told.
pub trait Receiver: std::fmt::Debug + Send + Sync + 'static {
    /// It forgets what it is not told again from time to time.
    const FORGETS: bool;

    fn tell(&self, notice: &Notice) -> impl Future<Output = Result<(), StepError>> + Send;
}
