//! How a relay works.

use std::time::Duration;

/// How a relay works; see [`OrchestratorBuilder::relay`](crate::OrchestratorBuilder::relay).
///
/// ```
/// use std::time::Duration;
///
/// use graceful::RelaySettings;
///
/// let settings = RelaySettings::default().attempts(5).lease(Duration::from_secs(10));
/// # let _ = settings;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct RelaySettings {
    pub(crate) attempts: u32,
    pub(crate) base: Duration,
    pub(crate) cap: Duration,
    pub(crate) lease: Duration,
    pub(crate) concurrency: usize,
    /// `None`: a quarter of the concurrency.
    pub(crate) per_handler: Option<usize>,
    pub(crate) poll: Duration,
    pub(crate) retention: Duration,
    pub(crate) runs: bool,
}

impl RelaySettings {
    /// For a process that stores flows, and leaves them to the relay of another.
    ///
    /// ```
    /// use graceful::{Orchestrator, RelaySettings, backends::memory};
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let builder = Orchestrator::builder().flows(memory::Flows::new()).relay(RelaySettings::off());
    /// # builder.build().unwrap();
    /// # });
    /// ```
    pub fn off() -> Self {
        Self { runs: false, ..Self::default() }
    }

    /// How often a flow is tried before it becomes a dead letter, at least once. An attempt counts when it begins, so one that
    /// ends with its process counts. Default: 16.
    ///
    /// ```
    /// # use graceful::RelaySettings;
    /// assert_eq!(RelaySettings::default().attempts(0), RelaySettings::default().attempts(1));
    /// ```
    pub fn attempts(self, attempts: u32) -> Self {
        Self { attempts: attempts.max(1), ..self }
    }

    /// The time before the next attempt: any up to `base`, doubled with each attempt up to `cap`. Default: 500 ms and 10
    /// minutes.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let settings = graceful::RelaySettings::default().backoff(Duration::from_secs(1), Duration::from_secs(60));
    /// ```
    pub fn backoff(self, base: Duration, cap: Duration) -> Self {
        Self { base, cap, ..self }
    }

    /// After what time a flow is taken from a relay that is not heard of any more. While an attempt goes on the lease is
    /// extended, so it need not be longer than steps may take. At least 100 ms; default: 30 s.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let settings = graceful::RelaySettings::default().lease(Duration::from_secs(5));
    /// ```
    pub fn lease(self, lease: Duration) -> Self {
        Self { lease: lease.max(Duration::from_millis(100)), ..self }
    }

    /// How many flows are under way at once, at least 1. Default: 64.
    ///
    /// ```
    /// let settings = graceful::RelaySettings::default().concurrency(8);
    /// ```
    pub fn concurrency(self, flows: usize) -> Self {
        Self { concurrency: flows.max(1), ..self }
    }

    /// How many flows of one handler are under way at once, at least 1: so a hook that hangs takes no more of the relay, and the
    /// flows of other handlers go on. Those that have room take turns, and so do the tenants of one handler. Default: a quarter
    /// of the [`concurrency`](Self::concurrency), rounded up.
    ///
    /// ```
    /// let settings = graceful::RelaySettings::default().concurrency_per_handler(4);
    /// ```
    pub fn concurrency_per_handler(self, flows: usize) -> Self {
        Self { per_handler: Some(flows.max(1)), ..self }
    }

    pub(crate) fn per_handler(&self) -> usize {
        self.per_handler.unwrap_or(self.concurrency.div_ceil(4))
    }

    /// How often the store is asked for what nobody has told: retries and leases whose time has come, and, where the store does not
    /// [tell](crate::backends::FlowStore::listen) of them, as that in PostgreSQL does, flows that another process has stored, or that
    /// were stored in a transaction. At least 1 ms; default: 200 ms.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let settings = graceful::RelaySettings::default().poll(Duration::from_millis(50));
    /// ```
    pub fn poll(self, every: Duration) -> Self {
        Self { poll: every.max(Duration::from_millis(1)), ..self }
    }

    /// How long completed flows are kept: a broker may lose what it has acknowledged (`JetStream` writes to disk every two
    /// minutes), and then they can be resubmitted. Then the relay deletes them: it looks once a minute, and a store deletes a thousand at
    /// once. Dead letters are kept until they are purged by hand. Default: 1 hour.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let settings = graceful::RelaySettings::default().retention(Duration::from_secs(600));
    /// ```
    pub fn retention(self, time: Duration) -> Self {
        Self { retention: time, ..self }
    }
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self {
            attempts: 16,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(600),
            lease: Duration::from_secs(30),
            concurrency: 64,
            per_handler: None,
            poll: Duration::from_millis(200),
            retention: Duration::from_secs(3600),
            runs: true,
        }
    }
}
