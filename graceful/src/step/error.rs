//! The failure of a step.

use std::{
    error::Error,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::Step;
use crate::{
    escape::escaped_text,
    text::{Text, text},
};

/// The kind of a [`StepError`].
///
/// ```
/// use graceful::{StepError, StepErrorKind};
/// assert_eq!(StepError::new("no route").kind(), StepErrorKind::Failed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StepErrorKind {
    /// The step returned an error.
    Failed,
    /// An argument of the step has no usable value in this call: its expression panicked, or its value is invalid. A durable
    /// flow does not retry the step.
    Argument,
    /// The server will never accept what the step sends, such as an event that is too large. A durable flow is not retried: it becomes a
    /// dead letter at once, unless another of its steps failed in another way.
    Refused,
    /// The step panicked.
    Panicked,
    /// The step's time budget ran out.
    TimedOut,
    /// More than eight flows are nested through hooks; the steps of the innermost flow fail.
    TooDeep,
    /// The step could not continue, because its caller was dropped or the runtime ended.
    Abandoned,
    /// The cache did not confirm the hold of a write that requires it: the body did not run, or, with `tx`, nothing may be committed. Or the lease
    /// of an idempotent call has expired, or its answer could not be stored: the body may have run.
    Unavailable,
    /// Another call with the same idempotency key runs, or has overtaken this one. It can be tried again.
    Aborted,
    /// An earlier call with the same idempotency key had another request.
    DifferentRequest,
    /// The idempotency key of a call is empty. Its body did not run.
    InvalidKey,
    /// A call of an idempotent handler has no scope: neither an actor nor another scope nor a request. Its body did not run.
    Unscoped,
}

impl StepErrorKind {
    /// The name, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Argument => "argument",
            Self::Refused => "refused",
            Self::Panicked => "panicked",
            Self::TimedOut => "timed_out",
            Self::TooDeep => "too_deep",
            Self::Abandoned => "abandoned",
            Self::Unavailable => "unavailable",
            Self::Aborted => "aborted",
            Self::DifferentRequest => "different_request",
            Self::InvalidKey => "invalid_key",
            Self::Unscoped => "unscoped",
        }
    }
}

impl fmt::Display for StepErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The failure of a step.
///
/// It does not change the handler's result, unless the step is `required`: then it becomes the handler's `Err`, by `From<StepError>`. Cloning it
/// shares the cause.
///
/// ```
/// use graceful::StepError;
///
/// let full = std::io::Error::other("disk full");
/// let error = StepError::caused_by(full);
/// assert_eq!(error.to_string(), "disk full");
/// assert!(std::error::Error::source(&error).is_some());
/// ```
#[derive(Clone)]
pub struct StepError {
    step: Option<Step>,
    cause: Arc<Cause>,
}

struct Cause {
    kind: StepErrorKind,
    message: Text,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StepError {
    /// Creates a failure with a message. Control and bidirectional characters are escaped, so that it is one line of a log.
    ///
    /// ```
    /// let error = graceful::StepError::new("no route to the log");
    /// assert_eq!(error.to_string(), "no route to the log");
    /// ```
    pub fn new(message: impl Into<Text>) -> Self {
        Self::of_kind(StepErrorKind::Failed, message)
    }

    /// Creates a failure with a cause, whose text becomes the message: `.map_err(StepError::caused_by)?`.
    ///
    /// ```
    /// # use graceful::StepError;
    /// fn parse(text: &str) -> Result<u8, StepError> {
    ///     text.parse().map_err(StepError::caused_by)
    /// }
    /// assert!(parse("x").is_err());
    /// ```
    pub fn caused_by(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let source = source.into();
        let message = Text::from(source.to_string());
        Self::from_cause(Cause { kind: StepErrorKind::Failed, message, source: Some(source) })
    }

    /// Creates a failure of the kind [`TimedOut`](StepErrorKind::TimedOut).
    ///
    /// ```
    /// # use graceful::{StepError, StepErrorKind};
    /// assert_eq!(StepError::timed_out("no answer within 3 s").kind(), StepErrorKind::TimedOut);
    /// ```
    pub fn timed_out(message: impl Into<Text>) -> Self {
        Self::of_kind(StepErrorKind::TimedOut, message)
    }

    /// Creates a failure of the kind [`Aborted`](StepErrorKind::Aborted).
    ///
    /// ```
    /// # use graceful::{StepError, StepErrorKind};
    /// assert_eq!(StepError::aborted("the key was claimed again").kind(), StepErrorKind::Aborted);
    /// ```
    pub fn aborted(message: impl Into<Text>) -> Self {
        Self::of_kind(StepErrorKind::Aborted, message)
    }

    /// Creates a failure of the kind [`Refused`](StepErrorKind::Refused): the same call would fail again, however often.
    ///
    /// ```
    /// # use graceful::{StepError, StepErrorKind};
    /// let error = StepError::refused("the event has 2 MiB, and the server accepts 1 MiB");
    /// assert_eq!(error.kind(), StepErrorKind::Refused);
    /// ```
    pub fn refused(message: impl Into<Text>) -> Self {
        Self::of_kind(StepErrorKind::Refused, message)
    }

    /// Runs a closure, and turns a panic into a failure of the kind [`Panicked`](StepErrorKind::Panicked).
    ///
    /// # Errors
    /// Fails if the closure panics.
    ///
    /// ```
    /// # use graceful::StepError;
    /// assert_eq!(StepError::catch_panic(|| 42).unwrap(), 42);
    /// assert_eq!(StepError::catch_panic(|| panic!("no")).unwrap_err().message(), "panicked: no");
    /// ```
    pub fn catch_panic<T>(run: impl FnOnce() -> T) -> Result<T, Self> {
        contain(run)
    }

    pub(crate) fn of_kind(kind: StepErrorKind, message: impl Into<Text>) -> Self {
        Self::from_cause(Cause { kind, message: message.into(), source: None })
    }

    /// The error of a call whose body did not run, because of this failure.
    pub(crate) fn unavailable(self) -> Self {
        let message =
            text!("the body did not run, because the cache did not confirm its hold: {}", self.message());
        Self { step: Some(Step::Cache), ..Self::of_kind(StepErrorKind::Unavailable, message) }
    }

    /// The error of a transaction that must not be committed, because of this failure.
    pub(crate) fn not_held(self) -> Self {
        let message = text!(
            "the transaction must not be committed, because the cache did not confirm its hold: {}",
            self.message()
        );
        Self { step: Some(Step::Cache), ..Self::of_kind(StepErrorKind::Unavailable, message) }
    }

    pub(crate) fn panicked(payload: &(dyn std::any::Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&'static str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("a value that is not a text");
        Self::of_kind(StepErrorKind::Panicked, text!("panicked: {text}"))
    }

    /// Escapes the text, because logs and reports show a failure in one line.
    fn from_cause(cause: Cause) -> Self {
        let message = escaped_text(cause.message);
        Self { step: None, cause: Arc::new(Cause { message, ..cause }) }
    }

    pub(crate) fn in_step(self, step: Step) -> Self {
        Self { step: Some(step), ..self }
    }

    /// The step that failed; `None` until the pipeline has received the error.
    ///
    /// ```
    /// assert_eq!(graceful::StepError::new("x").step(), None);
    /// ```
    pub fn step(&self) -> Option<Step> {
        self.step
    }

    /// The kind of the failure.
    ///
    /// ```
    /// # use graceful::{StepError, StepErrorKind};
    /// assert_eq!(StepError::new("x").kind(), StepErrorKind::Failed);
    /// ```
    pub fn kind(&self) -> StepErrorKind {
        self.cause.kind
    }

    /// The message, without the step's name.
    ///
    /// ```
    /// assert_eq!(graceful::StepError::new("x").message(), "x");
    /// ```
    pub fn message(&self) -> &str {
        &self.cause.message
    }
}

impl fmt::Debug for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepError")
            .field("step", &self.step)
            .field("kind", &self.cause.kind)
            .field("message", &self.cause.message)
            .field("source", &self.cause.source)
            .finish()
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Some(step) => write!(f, "step `{step}`: {}", self.cause.message),
            None => f.write_str(&self.cause.message),
        }
    }
}

impl Error for StepError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source.as_deref().map(|source| source as _)
    }
}

/// Turns a panic of a step into its failure, so that the handler is not affected.
pub(crate) fn contain<T>(run: impl FnOnce() -> T) -> Result<T, StepError> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| StepError::panicked(&*payload))
}
