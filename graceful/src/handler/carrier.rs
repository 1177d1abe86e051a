//! The types of frameworks around the value that a handler answers with.

use super::Draft;

/// A response that carries a value: the value is the payload, not the response.
pub trait Carrier {
    fn carried(&self, draft: &mut Draft<'_>);
    /// The type of that value.
    fn carried_type() -> &'static str;
}

#[cfg(feature = "axum")]
impl<T: serde::Serialize> Carrier for axum::Json<T> {
    fn carried(&self, draft: &mut Draft<'_>) {
        draft.payload(&self.0);
    }

    fn carried_type() -> &'static str {
        std::any::type_name::<T>()
    }
}

#[cfg(feature = "tonic")]
impl<T: serde::Serialize> Carrier for tonic::Response<T> {
    fn carried(&self, draft: &mut Draft<'_>) {
        draft.payload(self.get_ref());
    }

    fn carried_type() -> &'static str {
        std::any::type_name::<T>()
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

            fn carried_type() -> &'static str {
                Body::carried_type()
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
