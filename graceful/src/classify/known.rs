//! The errors of the standard library and of this crate's own dependencies.

use std::{
    borrow::Cow,
    convert::Infallible,
    fmt,
    io::{self, ErrorKind},
    net::AddrParseError,
    num::{ParseFloatError, ParseIntError, TryFromIntError},
    str::{ParseBoolError, Utf8Error},
    string::FromUtf8Error,
    sync::PoisonError,
};

use tokio::{task::JoinError, time::error::Elapsed};

use super::{
    Classify, ErrorCodes, Refusal,
    chain::{Cause, known_cause},
};
use crate::{
    code::Code,
    step::{StepError, StepErrorKind},
};

/// One table for both: the classification of each type, and the types that a chain of causes is searched for.
macro_rules! known {
    ($($error:ty $([$($possible:ident)*])? => $code:expr;)*) => {
        $(
            // The compiler would list these types for an unclassified type, which does not help its author.
            #[diagnostic::do_not_recommend]
            impl Classify for $error {
                fn code(&self) -> Code {
                    let code: fn(&Self) -> Code = $code;
                    code(self)
                }

                $(fn __graceful_codes(_codes: &mut ErrorCodes) {
                    $(_codes.declare(Code::$possible, None);)*
                })?
            }
        )*

        pub(super) const CAUSES: &[Cause] = &[$(Cause::of::<$error>(),)* Cause::of::<StepError>()];
    };
}

known! {
    AddrParseError [InvalidArgument] => |_| Code::InvalidArgument;
    Elapsed [DeadlineExceeded] => |_| Code::DeadlineExceeded;
    FromUtf8Error [InvalidArgument] => |_| Code::InvalidArgument;
    Infallible [] => |never| match *never {};
    JoinError [Cancelled Internal] => |error| if error.is_cancelled() { Code::Cancelled } else { Code::Internal };
    ParseBoolError [InvalidArgument] => |_| Code::InvalidArgument;
    ParseFloatError [InvalidArgument] => |_| Code::InvalidArgument;
    ParseIntError [InvalidArgument] => |_| Code::InvalidArgument;
    TryFromIntError [OutOfRange] => |_| Code::OutOfRange;
    Utf8Error [InvalidArgument] => |_| Code::InvalidArgument;
    fmt::Error [Internal] => |_| Code::Internal;
    io::Error => io;
    serde_json::Error => |error| error.io_error_kind().map_or(Code::InvalidArgument, io_kind);
}

// The guard's type is in its name, so that no chain can be searched for it.
#[diagnostic::do_not_recommend]
impl<Guard> Classify for PoisonError<Guard> {
    fn code(&self) -> Code {
        Code::Internal
    }
}

#[diagnostic::do_not_recommend]
impl Classify for StepError {
    fn code(&self) -> Code {
        step(self)
    }

    fn message(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.refusal().map_or(self.code().text(), Refusal::detail))
    }

    fn refusal(&self) -> Option<Refusal> {
        match self.kind() {
            StepErrorKind::Aborted => Some(Refusal::Running),
            StepErrorKind::DifferentRequest => Some(Refusal::DifferentRequest),
            StepErrorKind::InvalidKey => Some(Refusal::KeyInvalid),
            _ => None,
        }
    }

    fn __graceful_codes(codes: &mut ErrorCodes) {
        for code in STEP_CODES {
            codes.declare(code, None);
        }
    }
}

/// What [`step`] returns.
const STEP_CODES: [Code; 7] = [
    Code::Cancelled,
    Code::InvalidArgument,
    Code::DeadlineExceeded,
    Code::FailedPrecondition,
    Code::Aborted,
    Code::Internal,
    Code::Unavailable,
];

/// A step is the service's own work, so the classification of its cause, which is about a request, does not apply.
fn step(error: &StepError) -> Code {
    match error.kind() {
        StepErrorKind::TimedOut => Code::DeadlineExceeded,
        StepErrorKind::Abandoned => Code::Cancelled,
        StepErrorKind::Unavailable => Code::Unavailable,
        StepErrorKind::Aborted => Code::Aborted,
        StepErrorKind::DifferentRequest | StepErrorKind::InvalidKey => Code::InvalidArgument,
        StepErrorKind::Unscoped => Code::FailedPrecondition,
        _ => Code::Internal,
    }
}

fn io(error: &io::Error) -> Code {
    match (error.kind(), error.get_ref()) {
        // `source()` skips the error that `io::Error::other` was given.
        (ErrorKind::Other, Some(cause)) => known_cause(cause).map_or(Code::Internal, Classify::code),
        (kind, _) => io_kind(kind),
    }
}

fn io_kind(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::AlreadyExists => Code::AlreadyExists,
        ErrorKind::PermissionDenied => Code::PermissionDenied,
        ErrorKind::InvalidInput | ErrorKind::InvalidFilename => Code::InvalidArgument,
        ErrorKind::TimedOut => Code::DeadlineExceeded,
        ErrorKind::Unsupported => Code::Unimplemented,
        ErrorKind::Deadlock => Code::Aborted,
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Code::DataLoss,
        ErrorKind::FileTooLarge
        | ErrorKind::OutOfMemory
        | ErrorKind::QuotaExceeded
        | ErrorKind::StorageFull
        | ErrorKind::TooManyLinks => Code::ResourceExhausted,
        ErrorKind::DirectoryNotEmpty
        | ErrorKind::IsADirectory
        | ErrorKind::NotADirectory
        | ErrorKind::ReadOnlyFilesystem => Code::FailedPrecondition,
        ErrorKind::AddrInUse
        | ErrorKind::AddrNotAvailable
        | ErrorKind::BrokenPipe
        | ErrorKind::ConnectionAborted
        | ErrorKind::ConnectionRefused
        | ErrorKind::ConnectionReset
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NotConnected
        | ErrorKind::ResourceBusy
        | ErrorKind::StaleNetworkFileHandle
        | ErrorKind::WouldBlock => Code::Unavailable,
        _ => Code::Internal,
    }
}
