//! Subjects: of one event, or of many.

use std::fmt::Write as _;

use graceful::backends::encoded;
use smol_str::SmolStr;

/// Which events a [`Subscriber`](super::Subscriber) reads: those of a service, a tenant, a pattern, a name; what is not
/// named is any.
///
/// With all four named it is the one subject under which such an event is emitted.
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
    service: Option<SmolStr>,
    tenant: Option<SmolStr>,
    pattern: Option<SmolStr>,
    event: Option<SmolStr>,
}

impl Filter {
    /// All events.
    ///
    /// ```
    /// let all = graceful_nats::Filter::new();
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Only those of this service.
    ///
    /// ```
    /// # use graceful_nats::Filter;
    /// assert_eq!(Filter::new().service("users").subject("graceful"), "graceful.users.*.*.*");
    /// ```
    #[must_use]
    pub fn service(self, service: impl Into<SmolStr>) -> Self {
        Self { service: Some(service.into()), ..self }
    }

    /// Only those of this tenant; the empty one is none.
    ///
    /// ```
    /// # use graceful_nats::Filter;
    /// assert_eq!(Filter::new().tenant("acme").subject("graceful"), "graceful.*.acme.*.*");
    /// ```
    #[must_use]
    pub fn tenant(self, tenant: impl Into<SmolStr>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// Only those of this kind of entity.
    ///
    /// ```
    /// # use graceful_nats::Filter;
    /// assert_eq!(Filter::new().pattern("user").subject("graceful"), "graceful.*.*.user.*");
    /// ```
    #[must_use]
    pub fn pattern(self, pattern: impl Into<SmolStr>) -> Self {
        Self { pattern: Some(pattern.into()), ..self }
    }

    /// Only those of this name.
    ///
    /// ```
    /// # use graceful_nats::Filter;
    /// assert_eq!(Filter::new().event("user_updated").subject("graceful"), "graceful.*.*.*.user_updated");
    /// ```
    #[must_use]
    pub fn event(self, name: impl Into<SmolStr>) -> Self {
        Self { event: Some(name.into()), ..self }
    }

    /// The subject in a stream.
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
