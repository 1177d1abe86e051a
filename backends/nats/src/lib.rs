//! Events on NATS JetStream: [`Events`] emits them, a [`Subscriber`] reads them.
//!
//! ```no_run
//! use graceful::{Orchestrator, backends::memory};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! // Where the handlers are:
//! let events = graceful_nats::Events::connect("nats://127.0.0.1:4222").await?;
//! let orchestrator = Orchestrator::builder().service("users").events(events).build()?;
//!
//! // Where their events are read:
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
//! All events of all services are in one stream, `graceful` unless the URL says another (`?stream=orders`), under subjects of
//! five tokens: `{stream}.{service}.{tenant}.{pattern}.{event}`, such as `graceful.users.acme.user.user_updated`. Each token
//! is [encoded](graceful::backends::encoded), and an empty one is `%`, so that different events have different subjects, and nothing in
//! a name can be a wildcard or a separator.
//!
//! Whoever connects first creates the stream: in a file, one replica, messages kept for 7 days, repetitions of an event
//! dropped for 2 minutes. A stream that is there already is checked (it must take those subjects, acknowledge, and know
//! repetitions) and left as it is: create it yourself where you want more replicas, or other limits. With `?create=false`
//! a stream that is missing is an error.
//!
//! **A stream that can lose events** is refused, too: one in memory; one that forgets what was read or what nobody waits for
//! (`retention` is `workqueue` or `interest`); one that discards the oldest beyond fewer than 1 000 000 messages (`max_msgs`, also
//! `max_msgs_per_subject`) or 1 GiB (`max_bytes`), or after less than 24 h (`max_age`). Where `discard` is `new`, a full stream refuses
//! an event, its step fails, and nothing is lost silently. `?allow_loss=true` takes such a stream all the same. It is checked at
//! start only: what is changed later is not seen.
//!
//! # Addresses
//!
//! `nats://[user:password@]host[:port]`, with `token@` instead of a user and a password, `tls://` for an encrypted
//! connection, and further servers of the cluster after commas.
//!
//! # Encrypted connections
//!
//! The client cannot be built without a library of cryptography, so this feature brings `ring`, for all of `rustls` in the program.
//! Where something else brings `aws-lc-rs`, `rustls` takes neither of the two by itself, and a `ClientConfig::builder()` of the
//! program's own panics: install one at the beginning of `main`, as by `rustls::crypto::aws_lc_rs::default_provider().install_default()`.
//! This one takes the process' library, if there is one, else `ring`, and installs nothing.

mod client;
mod events;
mod filter;
mod handling;
mod poison_event;
mod stream;
mod subscriber;
mod url;

use graceful::{Backend, OrchestratorBuilder};

pub use self::{
    events::Events,
    filter::Filter,
    poison_event::{PoisonEvent, Rejected},
    subscriber::Subscriber,
};

/// `GRACEFUL_EVENTS=nats://…`: events on NATS JetStream; see [`Orchestrator::from_env`](graceful::Orchestrator::from_env).
pub const BACKEND: Backend = Backend::new("graceful-nats", "GRACEFUL_EVENTS", &["nats", "tls"], |url| {
    Box::pin(async move {
        let events = Events::connect(&url).await?;
        Ok(Box::new(|builder: OrchestratorBuilder| builder.events(events)) as _)
    })
});
