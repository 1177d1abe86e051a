//! The types of web frameworks that wrap the value that a handler returns.

use super::FlowBuilder;

/// A response that carries a value: the value is the payload, not the response.
pub trait Carrier {
    /// The type of the value.
    type Content;

    fn carried(&self, builder: &mut FlowBuilder<'_>);

    /// The content becomes the cached value.
    fn cached(&self, builder: &mut FlowBuilder<'_>);

    /// Why the response cannot be made again from its content, if it cannot.
    fn more_than_carried(&self) -> Option<&'static str> {
        None
    }

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
    type Content = T;

    fn carried(&self, builder: &mut FlowBuilder<'_>) {
        builder.payload(&self.0);
    }

    fn cached(&self, builder: &mut FlowBuilder<'_>) {
        builder.cache_value(&self.0);
    }

    fn carried_type() -> &'static str {
        std::any::type_name::<T>()
    }
}

#[cfg(feature = "tonic")]
impl<T: serde::Serialize> Carrier for tonic::Response<T> {
    type Content = T;

    fn carried(&self, builder: &mut FlowBuilder<'_>) {
        builder.payload(self.get_ref());
    }

    fn cached(&self, builder: &mut FlowBuilder<'_>) {
        builder.cache_value(self.get_ref());
    }

    fn more_than_carried(&self) -> Option<&'static str> {
        let own = !self.metadata().is_empty() || !self.extensions().is_empty();
        own.then_some("the response has metadata of its own, which is not cached")
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
            type Content = Body::Content;

            fn carried(&self, builder: &mut FlowBuilder<'_>) {
                let (.., body) = self;
                body.carried(builder);
            }

            fn cached(&self, builder: &mut FlowBuilder<'_>) {
                let (.., body) = self;
                body.cached(builder);
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

#[cfg(all(test, feature = "tonic"))]
mod tests {
    use tonic::Response;

    use super::*;

    #[test]
    fn response_with_metadata_or_extensions_is_more_than_its_content() {
        let mut response = Response::new(7);
        assert_eq!(response.more_than_carried(), None);
        response.extensions_mut().insert("extension");
        assert!(response.more_than_carried().is_some());
        let mut response = Response::new(7);
        response.metadata_mut().insert("x-rate", "1".parse().unwrap());
        assert!(response.more_than_carried().is_some());
    }
}
