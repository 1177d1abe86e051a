//! The trait of event emitters.

use std::{fmt::Debug, sync::Arc};

use crate::{
    backends::{EventLog, EventSource, Reply},
    flow::Event,
    text::Text,
};

/// The server, and the place there, to which an [`EventEmitter`] sends its events.
///
/// ```
/// let destination = graceful::backends::Destination::new("kafka", "orders");
/// assert_eq!((destination.system, &*destination.name), ("kafka", "orders"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Destination {
    /// The kind of server, by OpenTelemetry's names, such as `kafka`, `nats` or `rabbitmq`.
    pub system: &'static str,
    /// The topic, stream or exchange. There should be few of them: neither a tenant nor an entity is part of it.
    pub name: Text,
}

impl Destination {
    /// Creates a destination from the kind of server and the name of the topic, stream or exchange.
    ///
    /// ```
    /// assert_eq!(graceful::backends::Destination::new("nats", "events").system, "nats");
    /// ```
    pub fn new(system: &'static str, name: impl Into<Text>) -> Self {
        Self { system, name: name.into() }
    }
}

/// Emits events.
///
/// ```
/// use graceful::{
///     Code, Event, OrchestrationConfig, Orchestrator, Success,
///     backends::{EventEmitter, Reply},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// /// Writes the names of events to the standard output.
/// #[derive(Debug)]
/// struct Print;
///
/// impl EventEmitter for Print {
///     fn emit(&self, event: Event) -> Reply<()> {
///         println!("{} {}", event.id(), event.name());
///         Reply::ready(())
///     }
/// }
///
/// let orchestrator = Orchestrator::builder().service("users").events(Print).build()?;
/// let config = OrchestrationConfig::new("user").id("42").event("user_updated").on(&orchestrator);
/// Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub trait EventEmitter: Debug + Send + Sync + 'static {
    /// Emits an event. After a failure the same event may be emitted again, with the same id.
    fn emit(&self, event: Event) -> Reply<()>;

    /// Returns where the events are sent, for the attributes `messaging.*` of spans. Default: `None`, which leaves the attributes out.
    ///
    /// ```
    /// # use graceful::{Event, backends::{Destination, EventEmitter, Reply}};
    /// # #[derive(Debug)]
    /// # struct Kafka;
    /// impl EventEmitter for Kafka {
    ///     fn emit(&self, event: Event) -> Reply<()> {
    ///         // …
    ///         # Reply::ready(())
    ///     }
    ///
    ///     fn destination(&self) -> Option<Destination> {
    ///         Some(Destination::new("kafka", "orders"))
    ///     }
    /// }
    /// assert_eq!(Kafka.destination().unwrap().system, "kafka");
    /// ```
    fn destination(&self) -> Option<Destination> {
        None
    }

    /// Returns why events cannot be sent now, or are sent in vain, as a sentence for [`Orchestrator::health`](crate::Orchestrator::health): the
    /// process is then degraded. Default: `None`. It must not wait.
    ///
    /// ```
    /// # use graceful::{Event, HealthStatus, Orchestrator, Text, backends::{EventEmitter, Reply}};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// #[derive(Debug)]
    /// struct Blocked;
    ///
    /// impl EventEmitter for Blocked {
    ///     fn emit(&self, event: Event) -> Reply<()> {
    ///         // …
    ///         # Reply::ready(())
    ///     }
    ///
    ///     fn degradation(&self) -> Option<Text> {
    ///         Some("the broker is low on memory".into())
    ///     }
    /// }
    ///
    /// let orchestrator = Orchestrator::builder().service("users").events(Blocked).build()?;
    /// let health = orchestrator.health().await;
    /// assert_eq!(health.status, HealthStatus::Degraded);
    /// assert_eq!(health.reasons, ["the broker is low on memory"]);
    /// # Ok::<(), graceful::error::BuildError>(())
    /// # }).unwrap();
    /// ```
    fn degradation(&self) -> Option<Text> {
        None
    }

    /// Returns the log to which the events are appended, if they can be read again. The orchestrator purges it. Default: `None`.
    ///
    /// ```
    /// use graceful::backends::{EventEmitter as _, memory};
    ///
    /// assert!(memory::EventLog::new().log().is_some());
    /// assert!(memory::Events::new().log().is_none());
    /// ```
    fn log(&self) -> Option<Arc<dyn EventLog>> {
        None
    }

    /// Returns the broker to which the events are sent, if subscribers can read from it. Default: `None`.
    fn source(&self) -> Option<Arc<dyn EventSource>> {
        None
    }
}
