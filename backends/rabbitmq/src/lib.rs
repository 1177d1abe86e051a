//! `graceful-rabbitmq` is a crate for events on RabbitMQ: [`Events`] emits them, and subscribers read them.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use graceful::Orchestrator;
//! use graceful_rabbitmq::{Events, Filter};
//!
//! // It need not know its subscribers, but then those must connect first.
//! let filter = Filter::new().pattern("user").event("user_updated");
//! let events = Events::connect("amqp://127.0.0.1").await?.subscriber("shop::on_update", &filter).await?;
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
//! Handlers with `#[subscribe]` read from the exchange to which the orchestrator emits, so `GRACEFUL_EVENTS=amqp://…` is all that they need. A service that
//! emits elsewhere gives them a [`Source`]:
//!
//! ```no_run
//! # async fn example(orchestrator: graceful::Orchestrator) -> Result<(), Box<dyn std::error::Error>> {
//! let source = graceful_rabbitmq::Source::connect("amqp://127.0.0.1").await?;
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
//! let filter = graceful_rabbitmq::Filter::new().pattern("user").event("user_updated");
//! let subscriber = graceful_rabbitmq::Subscriber::connect("amqp://127.0.0.1", "greeter", &filter).await?;
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
//! # The exchange and the queues
//!
//! The events of all services go to one durable topic exchange. Its name is `graceful`, unless the URL names another (`?exchange=orders`).
//! The [routing key](routing_key) of an event has four parts: `{service}.{tenant}.{pattern}.{event}`, such as
//! `users.acme.user.user_updated`. Each part is [encoded](graceful::backends::encoded), an empty one is `%`, and one that is too long is hashed. So
//! different events have different keys, and no name can contain a wildcard or a separator.
//!
//! An exchange stores nothing: each subscriber has a queue, `{exchange}.{subscriber}`, and a queue of its poison events,
//! `{exchange}.{subscriber}.poison`, which stays empty for `#[subscribe]`, since the store parks events. The subscriber is the name of a [`Subscriber`], or
//! the identity of a handler with `#[subscribe]`, such as `shop::on_update`; an identity that contains spaces, `%`, `~`, `.`, `*`, `#` or `>` is
//! [encoded](graceful::backends::encoded), and one that is too long is hashed. The queues are quorum queues, which RabbitMQ has since 3.8, and this crate needs 3.10. An event that was emitted
//! before the queue of a subscriber was declared never reaches that subscriber. So let services that emit know their subscribers, by
//! [`Events::subscriber`] or in the URL.
//!
//! Exchange and queues are declared by each process that connects. If they exist with other settings, the connection is refused with
//! the reason.
//!
//! With `?create=false` nothing is declared or bound, and only the existence of the exchange and the queues is checked, not their settings. Then
//! an operator declares, all durable:
//!
//! - the exchange, of the type `topic`;
//! - the queue `{exchange}.{subscriber}.poison` with `x-queue-type=quorum`;
//! - the queue `{exchange}.{subscriber}` with `x-queue-type=quorum`, `x-single-active-consumer=true`, `x-delivery-limit=2147483647`,
//!   `x-dead-letter-exchange=` (empty), `x-dead-letter-routing-key={exchange}.{subscriber}.poison`, `x-dead-letter-strategy=at-least-once` and
//!   `x-overflow=reject-publish`, bound to the exchange with the [routing key](routing_key) of the subscriber's filter.
//!
//! Without `x-dead-letter-…` poison events are lost, also those that exceed the server's own `x-delivery-limit`; without
//! `x-single-active-consumer` two processes handle events of one entity at once.
//!
//! If a queue cannot be declared when an emitter connects again, that is logged and shown by
//! [`Orchestrator::health`](graceful::Orchestrator::health), and the events for other queues are emitted.
//!
//! A subscriber's filter must not change while processes with the old one run, since these acknowledge what only the new one selects: give the
//! subscriber a new name, or stop them first.
//!
//! # Addresses
//!
//! `amqp://[user:password@]host[:port][,host…][/vhost][?options]`. Write `amqps://` for an encrypted connection. Without a user it is `guest`,
//! and without a virtual host it is `/`. The options:
//!
//! | option | meaning |
//! |---|---|
//! | `exchange=NAME` | the exchange, by default `graceful` |
//! | `create=false` | a missing exchange or queue is an error |
//! | `unroutable=accept` | an event that no queue takes is dropped; by default (`retry`) its step fails |
//! | `subscriber=NAME`, `subscriber=NAME:KEY` | a subscriber whose queue is declared by the service that emits; repeatable. `KEY` is what [`routing_key`] returns for its filter |
//!
//! # Encrypted connections
//!
//! This crate uses the crypto provider that the program has installed, or `ring` with the feature `ring`; without either,
//! `amqps://…` is an error.
//!
//! # Logs
//!
//! The client library, `lapin`, logs each event that no queue takes, with its data, at the level `WARN`. If your events contain what must not
//! be logged, set the level of the target `lapin` to `ERROR`.

mod connection;
mod consuming;
mod events;
mod names;
mod poison_event;
mod publisher;
mod reading;
mod socket;
mod source;
mod subscriber;
mod topology;
mod unroutable;
mod url;

use graceful::{Backend, OrchestratorBuilder};
pub use graceful_subscriber::{Filter, Rejected};

pub use self::{
    events::Events,
    names::{channel_address, routing_key},
    poison_event::PoisonEvent,
    source::Source,
    subscriber::Subscriber,
};

/// `GRACEFUL_EVENTS=amqp://…`: events on RabbitMQ; see [`Orchestrator::from_env`](graceful::Orchestrator::from_env).
pub const BACKEND: Backend =
    Backend::new("graceful-rabbitmq", "GRACEFUL_EVENTS", &["amqp", "amqps"], |url| {
        Box::pin(async move {
            let events = Events::connect(&url).await?;
            Ok(Box::new(|builder: OrchestratorBuilder| builder.events(events)) as _)
        })
    });
