//! The classification of errors: the [`Code`] of an error, and the message that clients may see.

mod chain;
mod codes;
mod known;
mod refusal;

#[cfg(feature = "actix-web")]
mod actix_web;
#[cfg(feature = "anyhow")]
mod anyhow;
#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "eyre")]
mod eyre;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "sqlx")]
mod sqlx;
#[cfg(feature = "tonic")]
mod tonic;

use std::{borrow::Cow, sync::Arc};

pub use self::{
    chain::{Cause, CauseProbe},
    codes::{CodesOf, ErrorCode, ErrorCodes},
    refusal::Refusal,
};
use crate::code::Code;

#[cfg(feature = "macros")]
#[doc = include_str!("derive.md")]
pub use graceful_macros::Classify;

/// Gives an error its [`Code`], and the message that clients may see.
///
/// Derive it for your own error (see the derive macro of the same name), or implement it by hand:
///
/// ```
/// use graceful::{Classify, Code};
///
/// struct Locked { until: u64 }
///
/// impl Classify for Locked {
///     fn code(&self) -> Code {
///         Code::FailedPrecondition
///     }
/// }
///
/// assert_eq!(Locked { until: 7 }.code(), Code::FailedPrecondition);
/// assert_eq!(Locked { until: 7 }.message(), "failed precondition");
/// ```
///
/// An error type that is not classified counts as [`Code::Internal`]. The error's own text never leaves the process, because it may
/// contain a path, a query or a secret: [`message`](Self::message) is the text that its author chose, otherwise a fixed text.
///
/// # Known errors
///
/// These errors are classified already:
///
/// | error | code |
/// |---|---|
/// | `std::io::Error` | by its kind; an error of the kind `Other` by its inner error |
/// | parse errors of numbers, `bool`, addresses, UTF-8; `serde_json::Error` | `InvalidArgument` |
/// | `TryFromIntError` | `OutOfRange` |
/// | `tokio::time::error::Elapsed` | `DeadlineExceeded` |
/// | `tokio::task::JoinError` | `Cancelled`, or `Internal` after a panic |
/// | `std::fmt::Error`, `PoisonError` | `Internal` |
/// | [`StepError`](crate::StepError) | `DeadlineExceeded` when out of time, `Cancelled` when abandoned, `Unavailable` when a hold was not confirmed; `Aborted`, `InvalidArgument`, `FailedPrecondition` or `Unavailable` when an idempotent call was refused; else `Internal` |
/// | `dyn Error`, in a `Box`, an `Arc` or a reference | that of the first known cause, else `Internal` |
/// | `anyhow::Error` (feature `anyhow`) | the same; a [`Code`] given as `.context(…)` wins |
/// | `eyre::Report` of eyre 0.6 (feature `eyre`) | the same; a [`Code`] given to `.wrap_err(…)` wins |
/// | `actix_web::Error`, `actix_web::error::InternalError` (feature `actix-web`) | by the status of their response |
/// | `http::StatusCode`, alone or first in a tuple, and `http::Response` (feature `http`) | by its number |
/// | `sqlx::Error` (feature `sqlx`) | a missing row is `NotFound`, a violated unique constraint `AlreadyExists`, a conflict of transactions `Aborted`, a database that is unavailable or busy `Unavailable`; any other error is `Internal` |
/// | `tonic::Status` (feature `tonic`) | its own code |
///
/// One version of each crate is supported: `actix-web` 4, `anyhow` 1, `eyre` 0.6, `http` 1, `sqlx` 0.9, `tonic` 0.14. An error of
/// another version, or of a disabled feature, counts as `Internal`; the handler's first such error logs a warning.
///
/// The chain of causes is searched from the outermost error inwards, for the errors above and for every error of the program that
/// derives `Classify`, implements [`std::error::Error`] and is not generic.
///
/// ```
/// use graceful::{Classify, Code};
///
/// fn port(text: &str) -> Result<u16, Box<dyn std::error::Error>> {
///     Ok(text.parse()?)
/// }
/// assert_eq!(port("http").unwrap_err().code(), Code::InvalidArgument);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not classified: nothing says which `Code` it means",
    label = "not classified",
    note = "derive `graceful::Classify` for it, or implement it by hand",
    note = "a variant around an error of another crate can have a code of its own: `#[classify(code = …)]` in place of \
            `transparent`"
)]
pub trait Classify {
    /// The code of the error.
    ///
    /// ```
    /// use graceful::{Classify, Code};
    /// assert_eq!(std::io::Error::from(std::io::ErrorKind::TimedOut).code(), Code::DeadlineExceeded);
    /// ```
    fn code(&self) -> Code;

    /// The message that clients may see. Default: the fixed [`text`](Code::text) of the code.
    ///
    /// ```
    /// use graceful::Classify;
    /// let error = std::io::Error::other("/var/lib/users.db is gone");
    /// assert_eq!(error.message(), "internal error");
    /// ```
    fn message(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.code().text())
    }

    /// Why a call with an idempotency key was refused, if that is the error. A response to a client is then what [`Refusal`] says. Default: it is
    /// another error. The derive asks a `transparent` field.
    fn refusal(&self) -> Option<Refusal> {
        None
    }

    /// The codes that an error of this type can have, for the catalogue. Only the derive knows them.
    #[doc(hidden)]
    fn __graceful_codes(codes: &mut ErrorCodes)
    where
        Self: Sized,
    {
        codes.any();
    }
}

impl Code {
    /// The fixed message of an error that has no message of its own.
    ///
    /// ```
    /// assert_eq!(graceful::Code::NotFound.text(), "not found");
    /// ```
    pub const fn text(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown error",
            Self::InvalidArgument => "invalid argument",
            Self::DeadlineExceeded => "deadline exceeded",
            Self::NotFound => "not found",
            Self::AlreadyExists => "already exists",
            Self::PermissionDenied => "permission denied",
            Self::ResourceExhausted => "resource exhausted",
            Self::FailedPrecondition => "failed precondition",
            Self::Aborted => "aborted",
            Self::OutOfRange => "out of range",
            Self::Unimplemented => "not implemented",
            Self::Internal => "internal error",
            Self::Unavailable => "unavailable",
            Self::DataLoss => "data loss",
            Self::Unauthenticated => "not authenticated",
        }
    }
}

impl Classify for Code {
    fn code(&self) -> Code {
        *self
    }
}

/// The code of a failed response, by its status.
#[cfg(any(feature = "actix-web", feature = "http"))]
fn by_status(status: u16) -> Code {
    match Code::from_http_status(status) {
        // An `Err` below 400 is an early response, such as a redirect to the login: it is not a fault, and nothing was written.
        Code::Ok => Code::FailedPrecondition,
        code => code,
    }
}

macro_rules! delegate {
    ($($pointer:ty),*) => {$(
        impl<T: Classify + ?Sized> Classify for $pointer {
            fn code(&self) -> Code {
                (**self).code()
            }

            fn message(&self) -> Cow<'_, str> {
                (**self).message()
            }

            fn refusal(&self) -> Option<Refusal> {
                (**self).refusal()
            }
        }
    )*};
}

delegate!(&T, Box<T>, Arc<T>);
