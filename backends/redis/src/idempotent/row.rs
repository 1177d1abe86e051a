//! What a script has found under the name of a call.

use std::time::Duration;

use ::redis::{FromRedisValue, ParsingError, Value};
use graceful::{
    StepError,
    backends::{CallState, KnownCall, RequestHash, StoredAnswer},
};

pub(super) const VALUE: &str = "value";
pub(super) const NOT_STORABLE: &str = "not_storable";
const RUNNING: &str = "running";

/// The fields of a row. What is missing is empty.
pub(super) struct Row {
    state: String,
    request: Vec<u8>,
    /// The time until it expires, in milliseconds.
    left: i64,
    answer: Vec<u8>,
}

impl Row {
    /// What is known of the call.
    ///
    /// # Errors
    /// The row is damaged, or of a later version. It exists, so the call is not new.
    pub(super) fn known(self) -> Result<KnownCall, StepError> {
        let Self { state, request, left, answer } = self;
        let request = match &*request {
            [] => None,
            hash => Some(RequestHash::from_bytes(hash).ok_or_else(damaged)?),
        };
        let state = match &*state {
            RUNNING => CallState::Running(Duration::from_millis(left.try_into().unwrap_or(0))),
            VALUE => CallState::Answered(StoredAnswer::from_bytes(Some(&answer))),
            NOT_STORABLE => CallState::Answered(StoredAnswer::NotStorable),
            _ => return Err(damaged()),
        };
        Ok(KnownCall::new(request, state))
    }
}

impl FromRedisValue for Row {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let (state, request, left, answer) = FromRedisValue::from_redis_value(value)?;
        Ok(Self { state, request, left, answer })
    }
}

fn damaged() -> StepError {
    StepError::new("what Redis has stored for this idempotent call cannot be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(state: &str, request: &[u8]) -> Result<KnownCall, StepError> {
        Row { state: state.to_owned(), request: request.to_vec(), left: 7, answer: b"1".to_vec() }.known()
    }

    #[test]
    fn damaged_row_is_an_error() {
        let request = RequestHash::from_bytes(&[7; 48]);
        let running = CallState::Running(Duration::from_millis(7));
        assert_eq!(known(RUNNING, &[7; 48]).unwrap(), KnownCall::new(request, running));
        assert_eq!(
            known(VALUE, &[]).unwrap().state,
            CallState::Answered(StoredAnswer::from_bytes(Some(b"1")))
        );
        for (state, request) in [("", [].as_slice()), ("done", &[]), (RUNNING, &[7; 47])] {
            assert!(known(state, request).is_err(), "{state}");
        }
    }
}
