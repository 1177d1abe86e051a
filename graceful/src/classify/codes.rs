//! The codes that an error type can have, as its derive declares them, for the catalogue.

use std::{any::Any, collections::BTreeSet, marker::PhantomData, ops::Deref};

use super::Classify;
use crate::code::Code;

/// The codes of an error type: those that its own variants declare, and apart from them those of the errors that it wraps.
///
/// A call can fail with two more codes, whatever its error type is: `INTERNAL` if it panics, and `CANCELLED` if its future is dropped.
///
/// ```standalone_crate
/// use graceful::{Classify, Code, catalogue::Catalogue, orchestrate};
///
/// #[derive(Debug, Classify)]
/// enum UserError {
///     #[classify(code = NotFound, message = "user {0} not found")]
///     Missing(u64),
///     #[classify(transparent)]
///     Number(std::num::ParseIntError),
/// }
///
/// #[orchestrate(pattern = "user")]
/// async fn find(name: String) -> Result<(), UserError> { Ok(()) }
///
/// let catalogue = Catalogue::of_program();
/// let codes = &catalogue.handlers()[0].codes;
/// assert_eq!(codes.own()[0].code, Code::NotFound);
/// assert_eq!(codes.own()[0].message, Some("user {0} not found"));
/// assert_eq!(codes.through_wrapped().collect::<Vec<_>>(), [Code::InvalidArgument]);
/// assert!(!codes.is_any());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorCodes {
    own: Vec<ErrorCode>,
    wrapped: BTreeSet<Code>,
    is_any: bool,
    /// What is declared now belongs to a wrapped error.
    is_inside: bool,
}

/// A code that a variant of an error type declares.
///
/// ```
/// # fn print(declared: &graceful::catalogue::ErrorCode) {
/// println!("{}: {}", declared.code, declared.message.unwrap_or(declared.code.text()));
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct ErrorCode {
    /// The code.
    pub code: Code,
    /// The message as it is declared, with its holes; `None` if it is the text of the code.
    pub message: Option<&'static str>,
}

impl ErrorCodes {
    /// The codes that variants of the type declare, by number, each message once.
    ///
    /// ```
    /// # use graceful::catalogue::ErrorCodes;
    /// assert_eq!(ErrorCodes::default().own(), []);
    /// ```
    pub fn own(&self) -> &[ErrorCode] {
        &self.own
    }

    /// The codes that errors inside of `transparent` variants declare, by number.
    ///
    /// ```
    /// # use graceful::catalogue::ErrorCodes;
    /// assert_eq!(ErrorCodes::default().through_wrapped().count(), 0);
    /// ```
    pub fn through_wrapped(&self) -> impl Iterator<Item = Code> + '_ {
        self.wrapped.iter().copied()
    }

    /// Whether any code is possible: the type, or an error that it wraps, implements [`Classify`] by hand, or is one such as
    /// `anyhow::Error` whose code depends on its cause.
    ///
    /// ```
    /// # use graceful::catalogue::ErrorCodes;
    /// assert!(!ErrorCodes::default().is_any());
    /// ```
    pub const fn is_any(&self) -> bool {
        self.is_any
    }

    /// The codes of an error type that the attribute does not see.
    pub(crate) fn unknown() -> Self {
        Self { is_any: true, ..Self::default() }
    }

    /// The codes of an error type that is not classified.
    pub(crate) fn unclassified() -> Self {
        let mut codes = Self::default();
        codes.declare(Code::Internal, None);
        codes
    }

    pub(super) fn any(&mut self) {
        self.is_any = true;
    }
}

/// For the derive.
#[doc(hidden)]
impl ErrorCodes {
    pub fn declare(&mut self, code: impl Any, message: Option<&'static str>) {
        // A code of another type is reported where it is classified, and not again here.
        let Some(&code) = (&code as &dyn Any).downcast_ref::<Code>() else { return };
        if self.is_inside {
            self.wrapped.insert(code);
            return;
        }
        let declared = ErrorCode { code, message };
        if let Err(place) = self.own.binary_search(&declared) {
            self.own.insert(place, declared);
        }
    }

    pub fn wrapped(&mut self, declare: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.is_inside, true);
        declare(self);
        self.is_inside = outer;
    }
}

/// Finds out whether `E` is classified, without a bound, as [`CauseProbe`](super::CauseProbe) does.
#[derive(Debug)]
pub struct CodesOf<E>(NotClassified, PhantomData<fn() -> E>);

/// A type that is not classified.
#[derive(Debug)]
pub struct NotClassified;

impl<E> CodesOf<E> {
    /// The question.
    pub const NEW: Self = Self(NotClassified, PhantomData);
}

impl<E: Classify> CodesOf<E> {
    #[doc(hidden)]
    pub fn __graceful_codes(&self, codes: &mut ErrorCodes) {
        E::__graceful_codes(codes);
    }
}

impl NotClassified {
    #[doc(hidden)]
    #[expect(clippy::unused_self, reason = "only a method can stand in for a method")]
    pub fn __graceful_codes(&self, codes: &mut ErrorCodes) {
        codes.any();
    }
}

impl<E> Deref for CodesOf<E> {
    type Target = NotClassified;

    fn deref(&self) -> &NotClassified {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_inside_of_wrapped_errors_are_apart_from_own_ones() {
        let mut codes = ErrorCodes::default();
        codes.declare(Code::Internal, None);
        codes.wrapped(|codes| {
            codes.declare(Code::Aborted, Some("conflict"));
            codes.wrapped(|codes| codes.declare(Code::NotFound, None));
            codes.declare(Code::Aborted, None);
        });
        codes.declare(Code::NotFound, Some("no such user"));
        codes.declare(Code::NotFound, Some("no such user"));
        let own: Vec<_> = codes.own().iter().map(|own| own.code).collect();
        assert_eq!(own, [Code::NotFound, Code::Internal]);
        assert_eq!(codes.through_wrapped().collect::<Vec<_>>(), [Code::NotFound, Code::Aborted]);
        assert!(!codes.is_any());
    }
}
