//! `actix_web::Error` and `InternalError`.

use actix_web::{Error, ResponseError, error::InternalError};

use super::{Classify, by_status};
use crate::code::Code;

#[diagnostic::do_not_recommend]
impl Classify for Error {
    fn code(&self) -> Code {
        by_status(self.as_response_error().status_code().as_u16())
    }
}

#[diagnostic::do_not_recommend]
impl<T> Classify for InternalError<T>
where
    Self: ResponseError,
{
    fn code(&self) -> Code {
        by_status(self.status_code().as_u16())
    }
}
