//! `anyhow::Error`.

use std::{borrow::Cow, error::Error};

use anyhow::Error as AnyError;

use super::{Classify, chain::known_cause};
use crate::code::Code;

#[diagnostic::do_not_recommend]
impl Classify for AnyError {
    fn code(&self) -> Code {
        meaning(self).map_or(Code::Internal, Classify::code)
    }

    fn message(&self) -> Cow<'_, str> {
        meaning(self).map_or(Cow::Borrowed(Code::Internal.text()), Classify::message)
    }
}

fn meaning(error: &AnyError) -> Option<&dyn Classify> {
    let code = error.downcast_ref::<Code>().map(|code| code as _);
    // `AnyError::from_boxed` hides the box from the chain of causes.
    let boxed =
        || error.downcast_ref::<Box<dyn Error + Send + Sync>>().and_then(|cause| known_cause(&**cause));
    code.or_else(boxed).or_else(|| known_cause(&**error))
}
