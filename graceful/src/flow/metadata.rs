//! What is known of an entity from flow to flow.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Flow;
use crate::code::Code;

/// What is known of an entity after a flow: counters, the last of each outcome, and its place in the chain of flows.
///
/// Both arms normalise it by the same function, [`after`](Self::after).
///
/// ```
/// use graceful::{Code, Failure, Orchestrator, OrchestrationConfig, Success};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let config = OrchestrationConfig::new("user").id("42").on(&Orchestrator::in_memory());
/// let first = Success::wrap(Code::Ok, "user created", &()).orchestrate(&config).await;
/// let second = Failure::wrap(Code::Internal, "disk full", &"cause").orchestrate(&config).await;
///
/// let metadata = second.flow().metadata().unwrap();
/// assert_eq!((metadata.score, metadata.error_count), (1, 1));
/// assert_eq!(metadata.previous, Some(first.flow().id()));
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Metadata {
    /// The flow that this state comes from.
    pub state: Uuid,
    /// The entity's flow before it.
    pub previous: Option<Uuid>,
    /// The entity's flow after it; set when that one arrives.
    pub next: Option<Uuid>,
    /// Flows that this one belongs to: the one whose hook called it.
    pub related: Vec<Uuid>,
    /// How many flows succeeded.
    pub score: u64,
    /// How many flows failed.
    pub error_count: u64,
    /// When a flow last succeeded.
    pub last_success: Option<Timestamp>,
    /// When and how a flow last failed.
    pub last_error: Option<LastError>,
    /// When this state was made.
    pub updated_at: Timestamp,
    /// What handlers declared, merged deeply from flow to flow.
    pub fields: Map<String, Value>,
}

/// When and how a flow last failed; part of [`Metadata`].
///
/// ```
/// # use graceful::{Code, Failure, Orchestrator, OrchestrationConfig};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let config = OrchestrationConfig::new("user").id("42").on(&Orchestrator::in_memory());
/// let report = Failure::wrap(Code::Internal, "disk full", &"cause").orchestrate(&config).await;
/// assert_eq!(report.flow().metadata().unwrap().last_error.as_ref().unwrap().code, Code::Internal);
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LastError {
    /// When.
    pub at: Timestamp,
    /// What it meant.
    pub code: Code,
}

impl Metadata {
    /// The entity's metadata after `flow`, from what it was before: a store calls it, atomically per entity.
    ///
    /// The chain's other half is the store's: it sets [`next`](Self::next) of the previous state.
    ///
    /// ```
    /// # use graceful::{Code, Failure, Metadata, Success};
    /// let created = Success::wrap(Code::Ok, "user created", "ada");
    /// let failed = Failure::wrap(Code::Internal, "something failed", "disk full");
    /// let first = Metadata::after(None, created.flow());
    /// let second = Metadata::after(Some(&first), failed.flow());
    /// assert_eq!((second.score, second.error_count, second.previous), (1, 1, Some(created.flow().id())));
    /// ```
    #[must_use]
    pub fn after(previous: Option<&Self>, flow: &Flow) -> Self {
        let mut metadata = Self {
            state: flow.id,
            previous: previous.map(|before| before.state),
            next: None,
            related: flow.parent.into_iter().collect(),
            score: previous.map_or(0, |before| before.score),
            error_count: previous.map_or(0, |before| before.error_count),
            last_success: previous.and_then(|before| before.last_success),
            last_error: previous.and_then(|before| before.last_error.clone()),
            updated_at: flow.at,
            fields: previous.map(|before| before.fields.clone()).unwrap_or_default(),
        };
        if flow.is_success() {
            metadata.score += 1;
            metadata.last_success = Some(flow.at);
        } else {
            metadata.error_count += 1;
            metadata.last_error = Some(LastError { at: flow.at, code: flow.code });
        }
        if let Some(declared) = flow.declared_metadata() {
            merge(&mut metadata.fields, declared);
        }
        metadata
    }

    /// SHA-256, in hex, of the canonical form of what this state says: its fields and counters, and what it follows, but
    /// not its own id and times. The same change applied to the same state has the same key.
    ///
    /// ```
    /// # use graceful::{Code, Orchestrator, OrchestrationConfig, Success};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let config = OrchestrationConfig::new("user").id("42").on(&Orchestrator::in_memory());
    /// let report = Success::wrap(Code::Ok, "user created", &()).orchestrate(&config).await;
    /// assert_eq!(report.flow().metadata().unwrap().idempotency_key().len(), 64);
    /// # });
    /// ```
    #[cfg(feature = "idempotency")]
    pub fn idempotency_key(&self) -> String {
        let mut canonical = serde_json::json!({
            "previous": self.previous,
            "last_error": self.last_error.as_ref().map(|error| error.code),
            "score": self.score,
            "error_count": self.error_count,
            "fields": self.fields,
        });
        canonical.sort_all_objects();
        crate::sha256::Sha256::of(canonical.to_string().as_bytes()).to_string()
    }
}

/// Objects are merged field by field; anything else is replaced.
fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (name, value) in from {
        match (into.get_mut(name), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            _ => {
                into.insert(name.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_are_merged_and_everything_else_is_replaced() {
        let mut into = json!({"a": {"x": 1, "y": [1]}, "b": 1});
        let from = json!({"a": {"y": [2], "z": 3}, "b": {"c": 1}});
        merge(into.as_object_mut().unwrap(), from.as_object().unwrap());
        assert_eq!(into, json!({"a": {"x": 1, "y": [2], "z": 3}, "b": {"c": 1}}));
    }
}
