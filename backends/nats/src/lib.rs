//! `graceful-nats` is a crate for events on NATS JetStream: [`Events`] emits them, and subscribers read them.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use graceful::Orchestrator;
//!
//! let events = graceful_nats::Events::connect("nats://127.0.0.1:4222").await?;
//! let orchestrator = Orchestrator::builder().service("users").events(events).build()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Subscribers
//!
//! | choose | for |
//! |---|---|
//! | `#[subscribe]`, by default | A service with a store. Its events are in order per entity, different entities run concurrently, and an event that fails is parked with the later ones of its entity. See the guide of `graceful`, page `events`. |
//! | a [`Subscriber`] with a closure | A service without a store for the state of subscribers, or a handler that is not known when the program is compiled. It handles one event at a time, with an inbox of your choice; an event that fails is tried again after later ones. |
//!
//! Handlers with `#[subscribe]` read from the stream to which the orchestrator emits, so `GRACEFUL_EVENTS=nats://…` is all that they need. A service that
//! emits elsewhere gives them a [`Source`]:
//!
//! ```no_run
//! # async fn example(orchestrator: graceful::Orchestrator) -> Result<(), Box<dyn std::error::Error>> {
//! let source = graceful_nats::Source::connect("nats://127.0.0.1:4222").await?;
//! orchestrator.subscribers().source(source).run().await?;
//! # Ok(())
//! # }
//! ```
//!
//! With a closure:
//!
//! ```no_run
//! use graceful::backends::memory;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let filter = graceful_nats::Filter::new().pattern("user").event("user_updated");
//! let subscriber = graceful_nats::Subscriber::connect("nats://127.0.0.1:4222", "greeter", &filter).await?;
//! subscriber
//!     .run(&memory::Inbox::new(), |event, transaction| async move {
//!         println!("{} {}", event.name, event.result::<String>()?);
//!         Ok(transaction)
//!     })
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! # The stream
//!
//! The events of all services are in one stream. Its name is `graceful`, unless the URL names another (`?stream=orders`). The
//! subjects have five tokens: `{stream}.{service}.{tenant}.{pattern}.{event}`, such as `graceful.users.acme.user.user_updated`. Each
//! token is [encoded](graceful::backends::encoded), and an empty one is `%`. So different events have different subjects, and no name can
//! contain a wildcard or a separator.
//!
//! The first process that connects creates the stream: file storage, one replica, a retention of 7 days, and a duplicate window of
//! 2 minutes. An existing stream is checked (it must accept these subjects, acknowledge, and detect duplicates) but not changed. To have
//! more replicas or other limits, create the stream yourself. With `?create=false` a missing stream is an error.
//!
//! **A stream that can lose events** is refused: one in memory; one with `retention` set to `workqueue` or `interest`; and one that discards the
//! oldest events beyond fewer than 1 000 000 messages (`max_msgs`, also `max_msgs_per_subject`), beyond less than 1 GiB (`max_bytes`), or
//! after less than 24 h (`max_age`). If `discard` is `new`, a full stream refuses an event and the step fails, so nothing is lost silently.
//! `?allow_loss=true` accepts a stream that can lose events. The stream is checked at start only: later changes are not detected.
//!
//! # Addresses
//!
//! `nats://[user:password@]host[:port]`. Write `token@` instead of user and password for a token, `tls://` for an encrypted
//! connection, and separate further servers of the cluster by commas.
//!
//! # Encrypted connections
//!
//! `async-nats` cannot be built without a crypto provider, so this crate links `ring`, which affects all of `rustls` in the program. If
//! another dependency links `aws-lc-rs`, `rustls` cannot choose between the two, and `ClientConfig::builder()` in your program panics. In that case
//! install one at the beginning of `main`, e.g. by `rustls::crypto::aws_lc_rs::default_provider().install_default()`. This crate
//! uses the installed provider of the process, otherwise `ring`, and installs none.

mod client;
mod events;
mod poison_event;
mod reading;
mod source;
mod stream;
mod subscriber;
mod url;

use graceful::{Backend, OrchestratorBuilder};

pub use graceful_subscriber::{Filter, Rejected};

pub use self::{events::Events, poison_event::PoisonEvent, source::Source, subscriber::Subscriber};

/// The subject of a pattern's event in a stream, with the parameter `{tenant}`, as AsyncAPI writes addresses.
///
/// ```
/// let address = graceful_nats::channel_address("graceful", "users", "user", "user_updated.failed");
/// assert_eq!(address, "graceful.users.{tenant}.user.user_updated%2Efailed");
/// ```
pub fn channel_address(stream: &str, service: &str, pattern: &str, event: &str) -> String {
    let subject = Filter::new().service(service).pattern(pattern).event(event).subject(stream);
    // The only part that is not set; no other one has the character.
    subject.replacen('*', "{tenant}", 1)
}

/// `GRACEFUL_EVENTS=nats://…`: events on NATS JetStream; see [`Orchestrator::from_env`](graceful::Orchestrator::from_env).
pub const BACKEND: Backend = Backend::new("graceful-nats", "GRACEFUL_EVENTS", &["nats", "tls"], |url| {
    Box::pin(async move {
        let events = Events::connect(&url).await?;
        Ok(Box::new(|builder: OrchestratorBuilder| builder.events(events)) as _)
    })
});
