//! The types of frameworks around the value that a handler answers with.

use super::Draft;

/// A response that carries a value: the value is the payload, not the response.
pub trait Carrier {
    fn carried(&self, draft: &mut Draft<'_>);
}

#[cfg(feature = "axum")]
impl<T: serde::Serialize> Carrier for axum::Json<T> {
    fn carried(&self, draft: &mut Draft<'_>) {
        draft.payload(&self.0);
    }
}

#[cfg(feature = "tonic")]
impl<T: serde::Serialize> Carrier for tonic::Response<T> {
    fn carried(&self, draft: &mut Draft<'_>) {
        draft.payload(self.get_ref());
    }
}

/// A response in parts, the body last, as in `(StatusCode, [("x-name", name)], Json(user))`.
#[cfg(feature = "axum")]
macro_rules! parts {
    ($($body:tt after $($part:ident)*;)*) => {$(
        impl<$($part,)* Body: Carrier> Carrier for ($($part,)* Body) {
            fn carried(&self, draft: &mut Draft<'_>) {
                self.$body.carried(draft);
            }
        }
    )*};
}

#[cfg(feature = "axum")]
parts! {
    1 after A;
    2 after A B;
    3 after A B C;
    4 after A B C D;
}
