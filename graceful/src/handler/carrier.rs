//! The types of web frameworks that wrap the value that a handler returns.

use super::FlowBuilder;

/// A response that carries a value: the value is the payload, not the response.
pub trait Carrier {
    fn carried(&self, builder: &mut FlowBuilder<'_>);
    /// The type of that value.
    fn carried_type() -> &'static str;
}

/// A response type of a supported framework version, with any content.
pub trait Current {}

#[cfg(feature = "axum")]
impl<T> Current for axum::Json<T> {}

#[cfg(feature = "tonic")]
impl<T> Current for tonic::Response<T> {}

#[cfg(feature = "axum")]
impl<T: serde::Serialize> Carrier for axum::Json<T> {
    fn carried(&self, builder: &mut FlowBuilder<'_>) {
        builder.payload(&self.0);
    }

    fn carried_type() -> &'static str {
        std::any::type_name::<T>()
    }
}

#[cfg(feature = "tonic")]
impl<T: serde::Serialize> Carrier for tonic::Response<T> {
    fn carried(&self, builder: &mut FlowBuilder<'_>) {
        builder.payload(self.get_ref());
    }

    fn carried_type() -> &'static str {
        std::any::type_name::<T>()
    }
}

/// A response in parts whose last one is the body, as in `(StatusCode, [("x-name", name)], Json(user))`: as many parts as axum accepts.
#[cfg(feature = "axum")]
macro_rules! parts {
    () => {};
    ($first:ident $($rest:ident)*) => {
        impl<$first, $($rest,)* Body: Current> Current for ($first, $($rest,)* Body) {}

        impl<$first, $($rest,)* Body: Carrier> Carrier for ($first, $($rest,)* Body) {
            fn carried(&self, builder: &mut FlowBuilder<'_>) {
                let (.., body) = self;
                body.carried(builder);
            }

            fn carried_type() -> &'static str {
                Body::carried_type()
            }
        }

        parts!($($rest)*);
    };
}

#[cfg(feature = "axum")]
parts!(A B C D E F G H I J K L M N O P Q);
