//! A stored flow with its completed steps.

use serde::{Deserialize, Serialize};

use super::Flow;
use crate::step::{StepError, Steps};

/// A flow on disk.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Stored {
    pub flow: Flow,
    /// The steps that are not run again.
    pub done: Steps,
}

impl Stored {
    pub(crate) fn decode(body: &[u8]) -> Result<Self, StepError> {
        // Only the kind and the position of the error, because its text quotes the value.
        serde_json::from_slice(body).map_err(|error| {
            let (kind, line, column) = (error.classify(), error.line(), error.column());
            StepError::new(format_args!("the stored flow cannot be read: {kind:?} error at {line}:{column}"))
        })
    }
}

/// A borrowed flow for encoding.
#[derive(Serialize)]
struct Borrowed<'a> {
    flow: &'a Flow,
    done: Steps,
}

impl Flow {
    /// The flow as bytes for a store.
    pub(crate) fn encode(&self, done: Steps) -> Result<Vec<u8>, StepError> {
        serde_json::to_vec(&Borrowed { flow: self, done }).map_err(StepError::caused_by)
    }
}
