//! The entity that the tests are about.

use graceful::{Classify, StepError};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: u64,
    pub name: String,
}

/// User 42, whom [`World::entity`](crate::World::entity) names.
pub fn ada() -> User {
    User { id: 42, name: "Ada".to_owned() }
}

#[derive(Debug, Classify)]
pub enum UserError {
    /// The caller's fault.
    #[classify(code = NotFound, message = "no such user")]
    Missing,
    /// Ours.
    #[classify(code = Internal, message = "store broken")]
    Broken,
    #[classify(code = Internal, message = "step failed")]
    Step(StepError),
}

impl From<StepError> for UserError {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}

impl UserError {
    /// The failure of a `required` step.
    #[track_caller]
    pub fn step(self) -> StepError {
        match self {
            Self::Step(error) => error,
            other => panic!("the handler's own error: {other:?}"),
        }
    }
}
