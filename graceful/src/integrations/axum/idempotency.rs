//! The header `Idempotency-Key` as an extractor.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use super::Problem;
use crate::idempotency::{IdempotencyKey, KeyError};

fn key(parts: &Parts) -> Result<Option<IdempotencyKey>, KeyError> {
    let values = parts.headers.get_all(IdempotencyKey::HEADER);
    IdempotencyKey::of_values(values.iter().map(|value| value.to_str().ok()))
}

/// A request without the header is rejected.
impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(key(parts)?.ok_or(KeyError::Missing)?)
    }
}

/// A request without the header has no key.
impl<S: Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        Ok(key(parts)?)
    }
}
