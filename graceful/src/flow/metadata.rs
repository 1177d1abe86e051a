//! The metadata of an entity.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Flow;
use crate::code::Code;

/// The metadata of an entity after a flow: counters, the last outcomes, and links to the previous and next flow.
///
/// Both arms compute it by the same function, [`after`](Self::after).
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
    /// The id of the flow that produced this state.
    pub state: Uuid,
    /// The entity's previous flow.
    pub previous: Option<Uuid>,
    /// The entity's next flow; set when that flow is recorded.
    pub next: Option<Uuid>,
    /// Related flows: the flow whose hook called this one.
    pub related: Vec<Uuid>,
    /// How many flows succeeded.
    pub score: u64,
    /// How many flows failed.
    pub error_count: u64,
    /// When a flow last succeeded.
    pub last_success: Option<Timestamp>,
    /// When and how a flow last failed.
    pub last_error: Option<LastError>,
    /// When this state was recorded.
    pub updated_at: Timestamp,
    /// The metadata that handlers declared, merged deeply from flow to flow.
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
    /// When the flow failed.
    pub at: Timestamp,
    /// The code of the error.
    pub code: Code,
}

impl Metadata {
    /// Computes the entity's metadata after `flow` from the previous state. A store calls it, atomically per entity.
    ///
    /// The store itself sets [`next`](Self::next) of the previous state.
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

    /// The SHA-256, in hex, of the canonical form of this state: its fields, counters and predecessor, without its own id and times.
    /// The same change of the same state has the same key.
    ///
    /// ```
    /// # use graceful::{Code, Orchestrator, OrchestrationConfig, Success};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let config = OrchestrationConfig::new("user").id("42").on(&Orchestrator::in_memory());
    /// let report = Success::wrap(Code::Ok, "user created", &()).orchestrate(&config).await;
    /// assert_eq!(report.flow().metadata().unwrap().idempotency_key().len(), 64);
    /// # });
    /// ```
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
