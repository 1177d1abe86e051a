//! `tonic::Status`.

use tonic::Status;

use super::Classify;
use crate::code::Code;

#[diagnostic::do_not_recommend]
impl Classify for Status {
    fn code(&self) -> Code {
        // Both count as gRPC does.
        Code::ALL[self.code() as usize]
    }
}
