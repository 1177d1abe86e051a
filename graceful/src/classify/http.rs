//! `http::StatusCode`, and the responses that begin with one.

use http::{Response, StatusCode};

use super::{Classify, by_status};
use crate::code::Code;

#[diagnostic::do_not_recommend]
impl Classify for StatusCode {
    fn code(&self) -> Code {
        by_status(self.as_u16())
    }
}

#[diagnostic::do_not_recommend]
impl<T> Classify for (StatusCode, T) {
    fn code(&self) -> Code {
        self.0.code()
    }
}

#[diagnostic::do_not_recommend]
impl<A, B> Classify for (StatusCode, A, B) {
    fn code(&self) -> Code {
        self.0.code()
    }
}

#[diagnostic::do_not_recommend]
impl<B> Classify for Response<B> {
    fn code(&self) -> Code {
        self.status().code()
    }
}
