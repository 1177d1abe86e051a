//! Classifies the rejections of axum's extractors by their status.

use axum::extract::rejection::{
    BytesRejection, ExtensionRejection, FailedToBufferBody, JsonRejection, PathRejection, StringRejection,
};

use super::Classify;
use crate::code::Code;

macro_rules! rejections {
    ($($rejection:ty)*) => {$(
        #[diagnostic::do_not_recommend]
        impl Classify for $rejection {
            fn code(&self) -> Code {
                self.status().code()
            }
        }
    )*};
}

rejections! {
    BytesRejection
    ExtensionRejection
    FailedToBufferBody
    JsonRejection
    PathRejection
    StringRejection
}
