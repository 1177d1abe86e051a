//! `graceful-alerts` is a crate with two backends that send the alerts of `graceful` to a receiver: Prometheus' `Alertmanager`, or any service
//! with a signed `Webhook`.
//!
//! An alert store (another [`Alerter`](graceful::backends::Alerter)) stores the open alerts of each entity. These backends group them by
//! failure, compare the groups with those that they have sent, and send the difference.
//!
//! Alert state must be shared between processes: use `graceful_sqlite::Store` or `graceful_postgres::Store` as the alert store. Otherwise an
//! `Ok` in one process does not resolve an alert fired by another.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(any(feature = "alertmanager", feature = "webhook")),
    allow(dead_code, unused_imports, reason = "without a receiver nothing uses the rest")
)]

#[cfg(feature = "alertmanager")]
pub mod alertmanager;
mod notify;
#[cfg(feature = "webhook")]
pub mod webhook;

use graceful::{
    Backend, BuilderChange, OrchestratorBuilder,
    backends::{BoxFuture, client::ConnectError},
};

#[cfg(feature = "alertmanager")]
pub use self::alertmanager::Alertmanager;
use self::notify::{Checked, Receiver};
#[cfg(feature = "webhook")]
pub use self::webhook::Webhook;

/// `GRACEFUL_ALERTS=http[s]://…`: an Alertmanager; see [`Orchestrator::from_env`](graceful::Orchestrator::from_env).
#[cfg(feature = "alertmanager")]
pub const ALERTMANAGER: Backend =
    Backend::new("graceful-alerts", "GRACEFUL_ALERTS", &["http", "https"], |url| {
        connect(Alertmanager::builder(url).checked())
    });

/// `GRACEFUL_ALERTS=webhook+http[s]://…#secret`: a webhook; see [`Orchestrator::from_env`](graceful::Orchestrator::from_env).
#[cfg(feature = "webhook")]
pub const WEBHOOK: Backend =
    Backend::new("graceful-alerts", "GRACEFUL_ALERTS", &["webhook+http", "webhook+https"], |url| {
        // The fragment after `#` is the secret, and is never sent.
        let (url, secret) = url.split_once('#').unwrap_or((&url, ""));
        connect(Webhook::builder(url.trim_start_matches("webhook+"), secret).checked())
    });

/// Puts the receiver in front of the alert store that the builder already has.
fn connect<R: Receiver>(
    checked: Result<Checked<R>, graceful::StepError>,
) -> BoxFuture<Result<BuilderChange, ConnectError>> {
    Box::pin(async move {
        let checked = checked.map_err(|error| ConnectError::new(error.message()))?;
        let change = |builder: OrchestratorBuilder| {
            builder.map_backends(|mut backends| {
                backends.alerts = Some(checked.over(backends.alerts.take()));
                backends
            })
        };
        Ok(Box::new(change) as BuilderChange)
    })
}
