//! The settings of a relay.

use std::time::Duration;

/// The settings of a relay; see [`OrchestratorBuilder::relay`](crate::OrchestratorBuilder::relay).
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
    /// Disables the relay: the process stores flows, and the relays of other processes run them.
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

    /// Sets the number of attempts before a flow becomes a dead letter, at least 1. An attempt counts when it begins, so one that is
    /// interrupted by the end of its process counts too; except for a first one, if the flow was claimed with others of its entity (not with a
    /// number of 1). Default: 16.
    ///
    /// ```
    /// # use graceful::RelaySettings;
    /// assert_eq!(RelaySettings::default().attempts(0), RelaySettings::default().attempts(1));
    /// ```
    pub fn attempts(self, attempts: u32) -> Self {
        Self { attempts: attempts.max(1), ..self }
    }

    /// Sets the backoff: the time before the next attempt is random, up to `base`, which doubles with each attempt up to `cap`. Default: 500 ms
    /// and 10 minutes.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let settings = graceful::RelaySettings::default().backoff(Duration::from_secs(1), Duration::from_secs(60));
    /// ```
    pub fn backoff(self, base: Duration, cap: Duration) -> Self {
        Self { base, cap, ..self }
    }

    /// Sets the lease: when a relay dies, another relay can claim its flows after this time. The lease is extended while an attempt
    /// runs, so it need not be longer than steps may take. At least 100 ms; default: 30 s.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let settings = graceful::RelaySettings::default().lease(Duration::from_secs(5));
    /// ```
    pub fn lease(self, lease: Duration) -> Self {
        Self { lease: lease.max(Duration::from_millis(100)), ..self }
    }

    /// Sets how many flows run concurrently, at least 1. Default: 64.
    ///
    /// ```
    /// let settings = graceful::RelaySettings::default().concurrency(8);
    /// ```
    pub fn concurrency(self, flows: usize) -> Self {
        Self { concurrency: flows.max(1), ..self }
    }

    /// Sets how many flows of one handler run concurrently, at least 1, so that a hook that hangs does not block other handlers. Handlers
    /// below their limit take turns, and so do the tenants of one handler. Default: a quarter of the
    /// [`concurrency`](Self::concurrency), rounded up.
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

    /// Sets the interval at which the relay polls the store. Polling finds due retries and expired leases. It also finds flows that another process
    /// or a transaction has stored, if the store does not [notify](crate::backends::FlowStore::listen) of them, as that in PostgreSQL does. At
    /// least 1 ms; default: 200 ms.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let settings = graceful::RelaySettings::default().poll(Duration::from_millis(50));
    /// ```
    pub fn poll(self, every: Duration) -> Self {
        Self { poll: every.max(Duration::from_millis(1)), ..self }
    }

    /// Sets the retention of completed and discarded flows, for which they can be [looked up](crate::backends::FlowStore::flows), and the
    /// ids of completed flows are known. Each minute the relay deletes expired flows, and a store deletes up to a thousand at once. Dead
    /// letters are retained until you purge them. Default: 1 hour.
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
