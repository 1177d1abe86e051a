//! The 17 canonical codes of gRPC.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The code of an outcome: one of the 17 canonical codes of gRPC.
///
/// The defaults of the steps depend on it: a client's bad request fires no alert and invalidates no key.
/// The numbers are those of the [gRPC status codes](https://grpc.io/docs/guides/status-codes/), the HTTP statuses
/// those of [`google.rpc.Code`](https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto).
///
/// ```
/// use graceful::Code;
///
/// assert_eq!(Code::NotFound.http_status(), 404);
/// assert!(!Code::NotFound.is_server_fault());
/// assert!(Code::Unavailable.is_server_fault() && Code::Unavailable.retryable());
/// assert_eq!("DEADLINE_EXCEEDED".parse::<Code>(), Ok(Code::DeadlineExceeded));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[repr(u8)]
pub enum Code {
    /// The call succeeded.
    Ok = 0,
    /// The caller cancelled the call.
    Cancelled = 1,
    /// The call failed for an unknown reason.
    Unknown = 2,
    /// The request is invalid, independently of the state of the system.
    InvalidArgument = 3,
    /// The deadline expired before the call finished.
    DeadlineExceeded = 4,
    /// The entity does not exist.
    NotFound = 5,
    /// The entity exists already.
    AlreadyExists = 6,
    /// The caller is authenticated, but not permitted to do this.
    PermissionDenied = 7,
    /// A quota or a disk is exhausted.
    ResourceExhausted = 8,
    /// The system is not in the state that the request needs; do not retry until it is.
    FailedPrecondition = 9,
    /// A concurrent change caused a conflict; retry the whole operation.
    Aborted = 10,
    /// A position is past the valid range.
    OutOfRange = 11,
    /// The operation is not implemented.
    Unimplemented = 12,
    /// An invariant is broken.
    Internal = 13,
    /// The service is unavailable; retry later.
    Unavailable = 14,
    /// Data is lost or corrupt beyond recovery.
    DataLoss = 15,
    /// The caller is not authenticated.
    Unauthenticated = 16,
}

impl Code {
    /// All 17 codes, by number.
    ///
    /// ```
    /// use graceful::Code;
    /// assert!(Code::ALL.iter().enumerate().all(|(n, code)| *code as usize == n));
    /// ```
    pub const ALL: [Self; 17] = [
        Self::Ok,
        Self::Cancelled,
        Self::Unknown,
        Self::InvalidArgument,
        Self::DeadlineExceeded,
        Self::NotFound,
        Self::AlreadyExists,
        Self::PermissionDenied,
        Self::ResourceExhausted,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::OutOfRange,
        Self::Unimplemented,
        Self::Internal,
        Self::Unavailable,
        Self::DataLoss,
        Self::Unauthenticated,
    ];

    /// The name in messages, such as `NOT_FOUND`.
    ///
    /// ```
    /// assert_eq!(graceful::Code::NotFound.as_str(), "NOT_FOUND");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Cancelled => "CANCELLED",
            Self::Unknown => "UNKNOWN",
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::FailedPrecondition => "FAILED_PRECONDITION",
            Self::Aborted => "ABORTED",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Internal => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
            Self::DataLoss => "DATA_LOSS",
            Self::Unauthenticated => "UNAUTHENTICATED",
        }
    }

    /// The corresponding HTTP status.
    ///
    /// ```
    /// use graceful::Code;
    /// assert_eq!(Code::Ok.http_status(), 200);
    /// assert_eq!(Code::ResourceExhausted.http_status(), 429);
    /// ```
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Ok => 200,
            Self::InvalidArgument | Self::FailedPrecondition | Self::OutOfRange => 400,
            Self::Unauthenticated => 401,
            Self::PermissionDenied => 403,
            Self::NotFound => 404,
            Self::AlreadyExists | Self::Aborted => 409,
            Self::ResourceExhausted => 429,
            Self::Cancelled => 499,
            Self::Unknown | Self::Internal | Self::DataLoss => 500,
            Self::Unimplemented => 501,
            Self::Unavailable => 503,
            Self::DeadlineExceeded => 504,
        }
    }

    /// The code of an HTTP status. A status without a code of its own has the code of its class.
    ///
    /// ```
    /// use graceful::Code;
    /// assert_eq!(Code::from_http_status(404), Code::NotFound);
    /// assert_eq!(Code::from_http_status(418), Code::FailedPrecondition);
    /// assert_eq!(Code::from_http_status(507), Code::Internal);
    /// ```
    pub const fn from_http_status(status: u16) -> Self {
        match status {
            100..=399 => Self::Ok,
            400 | 405 | 406 | 411 | 413..=415 | 422 => Self::InvalidArgument,
            401 | 407 => Self::Unauthenticated,
            403 | 451 => Self::PermissionDenied,
            404 | 410 => Self::NotFound,
            408 | 504 => Self::DeadlineExceeded,
            409 => Self::Aborted,
            416 => Self::OutOfRange,
            429 => Self::ResourceExhausted,
            499 => Self::Cancelled,
            400..=499 => Self::FailedPrecondition,
            501 => Self::Unimplemented,
            502 | 503 => Self::Unavailable,
            500..=599 => Self::Internal,
            _ => Self::Unknown,
        }
    }

    /// Whether the service is to blame, not its caller: these fire alerts and open review jobs.
    ///
    /// ```
    /// use graceful::Code;
    /// assert!(Code::Internal.is_server_fault());
    /// assert!(!Code::Cancelled.is_server_fault());
    /// ```
    pub const fn is_server_fault(self) -> bool {
        matches!(
            self,
            Self::Unknown
                | Self::DeadlineExceeded
                | Self::Unimplemented
                | Self::Internal
                | Self::Unavailable
                | Self::DataLoss
        )
    }

    /// Whether the same request may succeed if it is sent again, unchanged, a little later.
    ///
    /// ```
    /// use graceful::Code;
    /// assert!(Code::Aborted.retryable());
    /// assert!(!Code::InvalidArgument.retryable());
    /// ```
    pub const fn retryable(self) -> bool {
        matches!(self, Self::DeadlineExceeded | Self::ResourceExhausted | Self::Aborted | Self::Unavailable)
    }

    /// Whether an error with this code means that the entity's state was not touched, so that a cached value is still valid.
    ///
    /// ```
    /// use graceful::Code;
    /// assert!(Code::PermissionDenied.state_untouched());
    /// assert!(!Code::NotFound.state_untouched());
    /// ```
    pub const fn state_untouched(self) -> bool {
        matches!(
            self,
            Self::InvalidArgument
                | Self::PermissionDenied
                | Self::Unauthenticated
                | Self::AlreadyExists
                | Self::FailedPrecondition
                | Self::OutOfRange
                | Self::ResourceExhausted
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is not the [name](Code::as_str) of a code.
///
/// ```
/// let error = "NOPE".parse::<graceful::Code>().unwrap_err();
/// assert_eq!(error.to_string(), "not the name of a code, such as `NOT_FOUND`");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseCodeError(());

impl fmt::Display for ParseCodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the name of a code, such as `NOT_FOUND`")
    }
}

impl std::error::Error for ParseCodeError {}

impl std::str::FromStr for Code {
    type Err = ParseCodeError;

    fn from_str(text: &str) -> Result<Self, ParseCodeError> {
        Self::ALL.into_iter().find(|code| code.as_str() == text).ok_or(ParseCodeError(()))
    }
}
