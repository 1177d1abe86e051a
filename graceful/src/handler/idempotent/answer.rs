//! The answer of an idempotent handler as stored: `T`, `Json<T>`, `(StatusCode, Json<T>)` and `Response<T>` with its metadata. Which one it is, is
//! found by method resolution, as in [`probe`](super::super::probe()).

use serde::{Serialize, de::DeserializeOwned};

use super::super::{Anything, Decode, DecodeAnything, FlowBuilder, Probe};
#[cfg(any(feature = "axum", feature = "tonic"))]
use super::super::{
    decode::DecodeWrapped,
    probe::{Opaque, Wrapped},
};
use crate::{flow::Payload, step::StepError};

/// The maximum size of an answer.
const MAX_BYTES: usize = 1024 * 1024;

fn stored<T: Serialize + ?Sized>(value: &T) -> Result<Payload, StepError> {
    let stored = Payload::of(value).map_err(StepError::caused_by)?;
    match stored.as_bytes().len() {
        0..=MAX_BYTES => Ok(stored),
        bytes => Err(StepError::new(format_args!("it has {bytes} bytes, and an answer has at most 1 MiB"))),
    }
}

fn decoded<T: DeserializeOwned>(payload: &Payload) -> Result<T, StepError> {
    payload.decode().map_err(StepError::caused_by)
}

/// Stores a value that can be read back, or finds out that it cannot, before anything is committed.
fn checked<T: DeserializeOwned>(stored: Result<Payload, StepError>) -> Result<Payload, StepError> {
    let stored = stored?;
    decoded::<T>(&stored).map(|_| stored)
}

/// A type that can be the answer of an idempotent handler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the answer of an idempotent handler: it does not implement `Serialize`",
    label = "the answer is stored, so `{Self}` needs `serde::Serialize`",
    note = "derive `Serialize` and `Deserialize` for it; of responses, a `Json<T>`, a `(StatusCode, Json<T>)` and a `tonic::Response<T>` can be stored"
)]
pub trait StorableAnswer: Serialize {}
#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> StorableAnswer for T {}

/// A type that a repetition can read back.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the answer of an idempotent handler: it does not implement `Deserialize`",
    label = "repetitions get the stored answer, so `{Self}` needs `serde::Deserialize` without borrows",
    note = "derive `Serialize` and `Deserialize` for it; of responses, a `Json<T>`, a `(StatusCode, Json<T>)` and a `tonic::Response<T>` can be stored"
)]
pub trait RepeatableAnswer: DeserializeOwned {}
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> RepeatableAnswer for T {}

impl<T: Serialize + DeserializeOwned> Probe<'_, T> {
    pub fn __graceful_answer(&self, builder: &mut FlowBuilder<'_>) {
        builder.answer(|| checked::<T>(stored(self.value())));
    }
}

impl<T: ?Sized> Anything<'_, T> {
    /// That the value cannot be read back is reported where it is decoded.
    pub fn __graceful_answer(&self, builder: &mut FlowBuilder<'_>)
    where
        T: StorableAnswer,
    {
        builder.answer(|| stored(self.value()));
    }
}

impl<T: DeserializeOwned> Decode<'_, T> {
    pub fn __graceful_answer(&self) -> Result<T, StepError> {
        decoded(self.payload())
    }
}

impl<T> DecodeAnything<'_, T> {
    /// Reports the missing `Deserialize`.
    pub fn __graceful_answer(&self) -> Result<T, StepError>
    where
        T: RepeatableAnswer,
    {
        decoded(self.payload())
    }
}

#[cfg(feature = "axum")]
mod of_axum {
    use axum::Json;
    use http::StatusCode;

    use super::{
        DecodeWrapped, DeserializeOwned, FlowBuilder, Opaque, Serialize, StepError, Wrapped, checked,
        decoded, stored,
    };

    impl<T: Serialize + DeserializeOwned> Wrapped<'_, Json<T>> {
        pub fn __graceful_answer(&self, builder: &mut FlowBuilder<'_>) {
            builder.answer(|| checked::<T>(stored(&self.value().0)));
        }
    }

    impl<T: Serialize> Opaque<'_, Json<T>> {
        pub fn __graceful_answer(&self, builder: &mut FlowBuilder<'_>) {
            builder.answer(|| stored(&self.value().0));
        }
    }

    impl<T: DeserializeOwned> DecodeWrapped<'_, Json<T>> {
        pub fn __graceful_answer(&self) -> Result<Json<T>, StepError> {
            decoded(self.payload()).map(Json)
        }
    }

    impl<T: Serialize + DeserializeOwned> Wrapped<'_, (StatusCode, Json<T>)> {
        pub fn __graceful_answer(&self, builder: &mut FlowBuilder<'_>) {
            builder.answer(|| {
                let (status, Json(body)) = self.value();
                checked::<(u16, T)>(stored(&(status.as_u16(), body)))
            });
        }
    }

    impl<T: Serialize> Opaque<'_, (StatusCode, Json<T>)> {
        pub fn __graceful_answer(&self, builder: &mut FlowBuilder<'_>) {
            builder.answer(|| {
                let (status, Json(body)) = self.value();
                stored(&(status.as_u16(), body))
            });
        }
    }

    impl<T: DeserializeOwned> DecodeWrapped<'_, (StatusCode, Json<T>)> {
        pub fn __graceful_answer(&self) -> Result<(StatusCode, Json<T>), StepError> {
            let (status, body) = decoded(self.payload())?;
            Ok((StatusCode::from_u16(status).map_err(StepError::caused_by)?, Json(body)))
        }
    }
}

#[cfg(feature = "tonic")]
mod of_tonic {
    use http::{HeaderMap, HeaderName, HeaderValue};
    use tonic::{Extensions, Response, metadata::MetadataMap};

    use super::{
        DecodeWrapped, DeserializeOwned, FlowBuilder, Opaque, Payload, Serialize, StepError, Wrapped,
        decoded, stored,
    };

    /// The metadata by name, as it is sent.
    type Metadata = Vec<(String, String)>;

    fn stored_response<T: Serialize>(response: &Response<T>) -> Result<Payload, StepError> {
        if !response.extensions().is_empty() {
            return Err(StepError::new("a response with extensions cannot be stored"));
        }
        let headers = response.metadata().clone().into_headers();
        let metadata: Result<Metadata, StepError> = headers
            .iter()
            .map(|(name, value)| {
                Ok((name.to_string(), value.to_str().map_err(StepError::caused_by)?.to_owned()))
            })
            .collect();
        stored(&(metadata?, response.get_ref()))
    }

    fn decoded_response<T: DeserializeOwned>(payload: &Payload) -> Result<Response<T>, StepError> {
        let (metadata, message): (Metadata, T) = decoded(payload)?;
        let mut headers = HeaderMap::new();
        for (name, value) in metadata {
            let name: HeaderName = name.parse().map_err(StepError::caused_by)?;
            headers.append(name, HeaderValue::from_str(&value).map_err(StepError::caused_by)?);
        }
        Ok(Response::from_parts(MetadataMap::from_headers(headers), message, Extensions::default()))
    }

    impl<T: Serialize + DeserializeOwned> Wrapped<'_, Response<T>> {
        pub fn __graceful_answer(&self, builder: &mut FlowBuilder<'_>) {
            builder.answer(|| {
                let stored = stored_response(self.value())?;
                decoded_response::<T>(&stored).map(|_| stored)
            });
        }
    }

    impl<T: Serialize> Opaque<'_, Response<T>> {
        pub fn __graceful_answer(&self, builder: &mut FlowBuilder<'_>) {
            builder.answer(|| stored_response(self.value()));
        }
    }

    impl<T: DeserializeOwned> DecodeWrapped<'_, Response<T>> {
        pub fn __graceful_answer(&self) -> Result<Response<T>, StepError> {
            decoded_response(self.payload())
        }
    }
}
