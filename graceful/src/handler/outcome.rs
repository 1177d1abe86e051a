//! The return type of a handler.

use super::{
    Active, Flat, HandlerSpec, Plain, Plainly, Run,
    after::PlainPost,
    flat::{ReadOutcome, Stage},
};

/// What a handler returns: a `Result` in any spelling.
///
/// The attribute finds it by this trait, never by looking at the tokens of the return type, so that every alias works.
///
/// ```
/// use graceful::Outcome;
///
/// fn error_of<R: Outcome>(outcome: &R) -> Option<&R::Err> {
///     outcome.as_result().err()
/// }
///
/// assert_eq!(error_of(&Err::<(), _>("no")), Some(&"no"));
/// ```
#[diagnostic::on_unimplemented(
    message = "a handler returns a `Result`, but this one returns `{Self}`",
    label = "not a `Result`",
    note = "return a `Result` (any alias of it), or remove the attribute"
)]
pub trait Outcome: Sized + sealed::Sealed {
    /// The value.
    type Ok;
    /// The error.
    type Err;

    /// A call with this outcome, before it runs. It is an associated type, so that a missing implementation causes only one compiler
    /// error.
    #[doc(hidden)]
    type Prepared<B, O, X>;

    /// The future of a call with this outcome.
    #[doc(hidden)]
    type Run<F, O, X>;

    /// Makes the future of a call whose result no hook borrows.
    #[doc(hidden)]
    fn run<F, O, X>(active: Option<Active>, body: F, ok: O, err: X) -> Self::Run<F, O, X>;

    /// The function that reads this outcome of a plain handler.
    #[doc(hidden)]
    type Read;

    /// The future of a plain handler with this outcome.
    #[doc(hidden)]
    type Flat<F>;

    /// Makes the future of a plain handler.
    #[doc(hidden)]
    fn flat<F>(spec: &'static HandlerSpec, body: F, read: Self::Read) -> Self::Flat<F>;

    /// Prepares a call with this outcome.
    #[doc(hidden)]
    fn prepare<B, O, X>(active: Option<Active>, body: B, ok: O, err: X) -> Self::Prepared<B, O, X>;

    /// A view of either.
    ///
    /// ```
    /// # use graceful::Outcome;
    /// assert_eq!(Ok::<_, ()>(1).as_result(), Ok(&1));
    /// ```
    fn as_result(&self) -> Result<&Self::Ok, &Self::Err>;
    /// The outcome of a value.
    ///
    /// ```
    /// # use graceful::Outcome;
    /// assert_eq!(<Result<u8, ()>>::from_ok(1), Ok(1));
    /// ```
    fn from_ok(value: Self::Ok) -> Self;
    /// The outcome of an error.
    ///
    /// ```
    /// # use graceful::Outcome;
    /// assert_eq!(<Result<(), u8>>::from_err(1), Err(1));
    /// ```
    fn from_err(error: Self::Err) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T, E> Outcome for Result<T, E> {
    type Ok = T;
    type Err = E;
    type Prepared<B, O, X> = Plainly<B, Self, O, X>;
    type Run<F, O, X> = Run<F, O, X, Plain<E>, Box<PlainPost<Self>>>;
    type Read = ReadOutcome<T, E>;
    type Flat<F> = Flat<F, T, E>;

    #[inline]
    fn flat<F>(spec: &'static HandlerSpec, body: F, read: ReadOutcome<T, E>) -> Flat<F, T, E> {
        Flat { body, stage: Stage::New(spec), read }
    }

    #[inline]
    fn run<F, O, X>(active: Option<Active>, body: F, ok: O, err: X) -> Self::Run<F, O, X> {
        Run::Body { body, active, arms: (ok, err, Plain { required: None }) }
    }

    fn prepare<B, O, X>(active: Option<Active>, body: B, ok: O, err: X) -> Self::Prepared<B, O, X> {
        Plainly::new(active, body, ok, err)
    }

    fn as_result(&self) -> Result<&T, &E> {
        self.as_ref()
    }

    fn from_ok(value: T) -> Self {
        Ok(value)
    }

    fn from_err(error: E) -> Self {
        Err(error)
    }
}

mod sealed {
    pub trait Sealed {}
    impl<T, E> Sealed for Result<T, E> {}
}
