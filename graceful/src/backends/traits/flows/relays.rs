//! The relays that are alive.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

/// What a relay says of itself; see [`FlowStore::announce`](super::FlowStore::announce).
///
/// ```
/// use graceful::backends::{RelayInfo, Uuid};
///
/// let mut relay = RelayInfo::new(Uuid::nil(), "users", vec!["users::update_user".to_owned()]);
/// relay.host = "users-1".to_owned();
/// assert!(relay.knows("users::update_user") && relay.knows("") && !relay.knows("users::delete_user"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelayInfo {
    /// The id of this run of the relay.
    pub id: Uuid,
    /// The service.
    pub service: String,
    /// The environment's name.
    pub environment: String,
    /// The name of its machine; empty if the operating system does not say it.
    pub host: String,
    /// The id of its process.
    pub process: u32,
    /// The version of `graceful` in its program.
    pub version: String,
    /// The identities of the durable handlers in its program, in order.
    pub handlers: Vec<String>,
}

impl RelayInfo {
    /// Creates the data of a relay whose program has these durable handlers.
    pub fn new(id: Uuid, service: impl Into<String>, handlers: Vec<String>) -> Self {
        Self { id, service: service.into(), handlers, ..Self::default() }
    }

    /// Whether the relay's program can run the flows of a handler. Flows without a handler can run everywhere.
    pub fn knows(&self, handler: &str) -> bool {
        handler.is_empty() || self.handlers.iter().any(|known| known == handler)
    }
}

/// A relay that is alive; see [`FlowStore::relays`](super::FlowStore::relays).
///
/// ```
/// use graceful::backends::{LiveRelay, RelayInfo, Timestamp, Uuid};
///
/// let at = Timestamp::UNIX_EPOCH;
/// let relay = LiveRelay::new(RelayInfo::new(Uuid::nil(), "users", Vec::new()), at, at);
/// assert_eq!(relay.info.service, "users");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveRelay {
    /// What it says of itself.
    pub info: RelayInfo,
    /// When it was first announced, by the store's clock.
    pub since: Timestamp,
    /// When it was last announced, by the store's clock.
    pub seen_at: Timestamp,
}

impl LiveRelay {
    /// How often a relay announces itself.
    pub const RENEWED_EVERY: Duration = Duration::from_secs(10);

    /// How long after its last announcement a relay counts as alive.
    pub const ALIVE_FOR: Duration = Duration::from_secs(30);

    /// How long after its last announcement a relay is stored.
    pub const STORED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

    /// Creates a relay that was first and last announced at these times.
    pub const fn new(info: RelayInfo, since: Timestamp, seen_at: Timestamp) -> Self {
        Self { info, since, seen_at }
    }
}
