//! Filters of events.

use graceful::{Text, backends::encoded};

/// Selects the events that a subscriber reads, by service, tenant, pattern and name. A part that is not set matches
/// any value.
///
/// With all four parts it is the name under which a broker has such an event: on NATS the [`subject`](Self::subject).
///
/// ```
/// use graceful_subscriber::Filter;
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
    /// let all = graceful_subscriber::Filter::new();
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects only the events of this service.
    ///
    /// ```
    /// # use graceful_subscriber::Filter;
    /// assert_eq!(Filter::new().service("users").subject("graceful"), "graceful.users.*.*.*");
    /// ```
    #[must_use]
    pub fn service(self, service: impl Into<Text>) -> Self {
        Self { service: Some(service.into()), ..self }
    }

    /// Selects only the events of this tenant; an empty text selects the events without a tenant.
    ///
    /// ```
    /// # use graceful_subscriber::Filter;
    /// assert_eq!(Filter::new().tenant("acme").subject("graceful"), "graceful.*.acme.*.*");
    /// ```
    #[must_use]
    pub fn tenant(self, tenant: impl Into<Text>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// Selects only the events of this pattern.
    ///
    /// ```
    /// # use graceful_subscriber::Filter;
    /// assert_eq!(Filter::new().pattern("user").subject("graceful"), "graceful.*.*.user.*");
    /// ```
    #[must_use]
    pub fn pattern(self, pattern: impl Into<Text>) -> Self {
        Self { pattern: Some(pattern.into()), ..self }
    }

    /// Selects only the events of this name.
    ///
    /// ```
    /// # use graceful_subscriber::Filter;
    /// assert_eq!(Filter::new().event("user_updated").subject("graceful"), "graceful.*.*.*.user_updated");
    /// ```
    #[must_use]
    pub fn event(self, name: impl Into<Text>) -> Self {
        Self { event: Some(name.into()), ..self }
    }

    /// Returns the subject in a stream of NATS.
    ///
    /// ```
    /// # use graceful_subscriber::Filter;
    /// assert_eq!(Filter::new().subject("orders"), "orders.*.*.*.*");
    /// ```
    pub fn subject(&self, stream: &str) -> String {
        let tokens = self.tokens().map(|token| token.unwrap_or_else(|| "*".to_owned()));
        format!("{stream}.{}", tokens.join("."))
    }

    /// Returns service, tenant, pattern and name, [encoded](graceful::backends::encoded), for the names of a broker. A part that is not set is
    /// `None`, and an empty one is `%`, which no encoding gives.
    ///
    /// ```
    /// # use graceful_subscriber::Filter;
    /// let tokens = Filter::new().service("a.b").tenant("").tokens();
    /// assert_eq!(tokens, [Some("a%2Eb".to_owned()), Some("%".to_owned()), None, None]);
    /// ```
    pub fn tokens(&self) -> [Option<String>; 4] {
        [&self.service, &self.tenant, &self.pattern, &self.event].map(|part| match part.as_deref()? {
            "" => Some("%".to_owned()),
            part => Some(encoded(part).to_string()),
        })
    }
}
