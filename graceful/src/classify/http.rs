//! `http::StatusCode`, and the responses that begin with one.

use http::{Response, StatusCode};

use super::Classify;
use crate::Code;

#[diagnostic::do_not_recommend]
impl Classify for StatusCode {
    fn code(&self) -> Code {
        match Code::from_http_status(self.as_u16()) {
            // An `Err` below 400 is an early answer, such as a redirect to the login: nobody's fault, nothing written.
            Code::Ok => Code::FailedPrecondition,
            code => code,
        }
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
