//! Why an idempotent call was refused, as its client is told.

use std::{fmt, time::Duration};

use crate::code::Code;

/// Why a call with an idempotency key was refused, as the client is told: by the
/// [draft of the IETF](https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07) for the header `Idempotency-Key`.
///
/// ```
/// use graceful::{Code, idempotency::Refusal};
/// assert_eq!((Refusal::Running.http_status(), Refusal::Running.code()), (409, Code::Aborted));
/// assert_eq!((Refusal::DifferentRequest.http_status(), Refusal::DifferentRequest.code()), (422, Code::InvalidArgument));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The operation needs a key, and the request has none.
    KeyMissing,
    /// The key is empty, too long, given twice, or has characters that a key must not have.
    KeyInvalid,
    /// Another call with the same key is running.
    Running,
    /// An earlier call with the same key had another request.
    DifferentRequest,
}

impl Refusal {
    /// All refusals.
    pub const ALL: &[Self] = &[Self::KeyMissing, Self::KeyInvalid, Self::Running, Self::DifferentRequest];

    /// The name, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeyMissing => "key_missing",
            Self::KeyInvalid => "key_invalid",
            Self::Running => "running",
            Self::DifferentRequest => "different_request",
        }
    }

    /// The code of the error.
    pub const fn code(self) -> Code {
        match self {
            Self::Running => Code::Aborted,
            Self::KeyMissing | Self::KeyInvalid | Self::DifferentRequest => Code::InvalidArgument,
        }
    }

    /// The status of the response: 400, 409 or 422.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::KeyMissing | Self::KeyInvalid => 400,
            Self::Running => 409,
            Self::DifferentRequest => 422,
        }
    }

    /// The type of the problem details: an address of this page. It has no fragment, which `http::Uri` would drop.
    pub const fn problem_type(self) -> &'static str {
        macro_rules! of {
            ($variant:literal) => {
                concat!(
                    "https://docs.rs/graceful/latest/graceful/idempotency/enum.Refusal.html?variant=",
                    $variant
                )
            };
        }
        match self {
            Self::KeyMissing => of!("KeyMissing"),
            Self::KeyInvalid => of!("KeyInvalid"),
            Self::Running => of!("Running"),
            Self::DifferentRequest => of!("DifferentRequest"),
        }
    }

    /// What a client is told.
    pub const fn title(self) -> &'static str {
        match self {
            Self::KeyMissing => "Idempotency-Key is missing",
            Self::KeyInvalid => "Idempotency-Key is invalid",
            Self::Running => "A request is outstanding for this Idempotency-Key",
            Self::DifferentRequest => "Idempotency-Key is already used for another request",
        }
    }

    /// What a client is told to do.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::KeyMissing => "this operation needs the header Idempotency-Key",
            Self::KeyInvalid => "the idempotency key is empty or invalid",
            Self::Running => "another request with this idempotency key is running: try again later",
            Self::DifferentRequest => "this idempotency key was used for another request: use another key",
        }
    }

    /// When the client should try again: after one second if a call is running, otherwise never.
    pub const fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Running => Some(Duration::from_secs(1)),
            Self::KeyMissing | Self::KeyInvalid | Self::DifferentRequest => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
