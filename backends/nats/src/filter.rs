//! Filters of subjects.

use std::fmt::Write as _;

use graceful::{Text, backends::encoded};

/// Selects the events that a [`Subscriber`](super::Subscriber) reads, by service, tenant, pattern and name. A part that is not set matches
/// any value.
///
/// With all four parts it is the subject under which such an event is emitted.
///
/// ```
/// use graceful_nats::Filter;
///
/// let failed = Filter::new().service("users").event("user_updated.failed");
/// assert_eq!(failed.subject("graceful"), "graceful.users.*.*.user_updated%2Efailed");
/// assert_eq!(Filter::new().subject("graceful"), "graceful.*.*.*.*");
/// // Whatever a name holds, it means itself. An empty one is a `%`, which nothing else gives.
/// assert_eq!(
///     Filter::new().service("users").tenant("").pattern("*").event(">").subject("graceful"),
///     "graceful.users.%.%2A.%3E",
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    service: Option<Text>,
    tenant: Option<Text>,
    pattern: Option<Text>,
    event: Option<Text>,
}

impl Filter {
    /// Selects all events.
    ///
    /// ```
    /// let all = graceful_nats::Filter::new();
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects only the events of this service.
    ///
    /// ```
    /// # use graceful_nats::Filter;
    /// assert_eq!(Filter::new().service("users").subject("graceful"), "graceful.users.*.*.*");
    /// ```
    #[must_use]
    pub fn service(self, service: impl Into<Text>) -> Self {
        Self { service: Some(service.into()), ..self }
    }

    /// Selects only the events of this tenant; an empty text selects the events without a tenant.
    ///
    /// ```
    /// # use graceful_nats::Filter;
    /// assert_eq!(Filter::new().tenant("acme").subject("graceful"), "graceful.*.acme.*.*");
    /// ```
    #[must_use]
    pub fn tenant(self, tenant: impl Into<Text>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// Selects only the events of this pattern.
    ///
    /// ```
    /// # use graceful_nats::Filter;
    /// assert_eq!(Filter::new().pattern("user").subject("graceful"), "graceful.*.*.user.*");
    /// ```
    #[must_use]
    pub fn pattern(self, pattern: impl Into<Text>) -> Self {
        Self { pattern: Some(pattern.into()), ..self }
    }

    /// Selects only the events of this name.
    ///
    /// ```
    /// # use graceful_nats::Filter;
    /// assert_eq!(Filter::new().event("user_updated").subject("graceful"), "graceful.*.*.*.user_updated");
    /// ```
    #[must_use]
    pub fn event(self, name: impl Into<Text>) -> Self {
        Self { event: Some(name.into()), ..self }
    }

    /// Returns the subject in a stream.
    ///
    /// ```
    /// # use graceful_nats::Filter;
    /// assert_eq!(Filter::new().subject("orders"), "orders.*.*.*.*");
    /// ```
    pub fn subject(&self, stream: &str) -> String {
        let mut subject = stream.to_owned();
        for part in [&self.service, &self.tenant, &self.pattern, &self.event] {
            // To write into a string does not fail.
            let _ = match part.as_deref() {
                None => write!(subject, ".*"),
                // No encoding has a `%` without two digits.
                Some("") => write!(subject, ".%"),
                Some(part) => write!(subject, ".{}", encoded(part)),
            };
        }
        subject
    }
}
