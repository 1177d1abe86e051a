//! `eyre::Report`.

use std::borrow::Cow;

use eyre::Report;

use super::{Classify, chain::known_cause};
use crate::code::Code;

#[diagnostic::do_not_recommend]
impl Classify for Report {
    fn code(&self) -> Code {
        meaning(self).map_or(Code::Internal, Classify::code)
    }

    fn message(&self) -> Cow<'_, str> {
        meaning(self).map_or(Cow::Borrowed(Code::Internal.text()), Classify::message)
    }
}

fn meaning(report: &Report) -> Option<&dyn Classify> {
    let code = report.downcast_ref::<Code>().map(|code| code as _);
    code.or_else(|| known_cause(&**report))
}
