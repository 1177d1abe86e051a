//! Makes the text of a handler's error for the log. The traits of its type are found by method resolution at the call, as in
//! [`probe`](super::probe).
//!
//! The first of these is used: [`Error`] with its sources; a boxed `Error`; `Display`; `Debug`; the name of the type.

use std::{any::type_name, error::Error, fmt, ops::Deref};

use super::FlowBuilder;

/// An error whose text is wanted; the first level of the method resolution.
#[derive(Debug)]
pub struct OfError<'a, E: ?Sized>(OfBox<'a, E>);

/// A type that boxes an error but does not implement `Error`.
#[derive(Debug)]
pub struct OfBox<'a, E: ?Sized>(OfDisplay<'a, E>);

/// A type that implements `Display`.
#[derive(Debug)]
pub struct OfDisplay<'a, E: ?Sized>(OfDebug<'a, E>);

/// A type that implements `Debug`.
#[derive(Debug)]
pub struct OfDebug<'a, E: ?Sized>(OfAnything<'a, E>);

/// A type without a text.
#[derive(Debug)]
pub struct OfAnything<'a, E: ?Sized>(&'a E);

/// Starts the method resolution for an error.
pub fn cause<E: ?Sized>(error: &E) -> OfError<'_, E> {
    OfError(OfBox(OfDisplay(OfDebug(OfAnything(error)))))
}

macro_rules! next {
    ($($this:ident: $next:ident,)*) => {$(
        impl<'a, E: ?Sized> Deref for $this<'a, E> {
            type Target = $next<'a, E>;

            fn deref(&self) -> &$next<'a, E> {
                &self.0
            }
        }
    )*};
}

next! {
    OfError: OfBox,
    OfBox: OfDisplay,
    OfDisplay: OfDebug,
    OfDebug: OfAnything,
}

impl<E: Error + ?Sized> OfError<'_, E> {
    pub fn __graceful_cause(&self, builder: &mut FlowBuilder<'_>) {
        let error = (*****self).0;
        builder.cause(|| with_sources(error.to_string(), error.source()));
    }
}

macro_rules! boxed {
    ($($error:ty)*) => {$(
        impl OfBox<'_, Box<$error>> {
            pub fn __graceful_cause(&self, builder: &mut FlowBuilder<'_>) {
                let error = (****self).0;
                builder.cause(|| with_sources(error.to_string(), error.source()));
            }
        }
    )*};
}

boxed!(dyn Error dyn Error + Send dyn Error + Send + Sync);

impl<E: fmt::Display + ?Sized> OfDisplay<'_, E> {
    pub fn __graceful_cause(&self, builder: &mut FlowBuilder<'_>) {
        let error = (***self).0;
        // `anyhow::Error`, `eyre::Report` and similar types show their sources in this way.
        builder.cause(|| format!("{error:#}"));
    }
}

impl<E: fmt::Debug + ?Sized> OfDebug<'_, E> {
    pub fn __graceful_cause(&self, builder: &mut FlowBuilder<'_>) {
        let error = (**self).0;
        builder.cause(|| format!("{error:?}"));
    }
}

impl<E: ?Sized> OfAnything<'_, E> {
    pub fn __graceful_cause(&self, builder: &mut FlowBuilder<'_>) {
        builder.cause(|| {
            format!("a `{}`, which is neither `Error` nor `Display` nor `Debug`", type_name::<E>())
        });
    }
}

/// The maximum number of sources in the text, because the chain of an external error may be endless.
const SOURCES: usize = 32;

fn with_sources(mut text: String, mut source: Option<&(dyn Error + 'static)>) -> String {
    for _ in 0..SOURCES {
        let Some(error) = source else { break };
        let next = error.to_string();
        // The text of many errors already contains that of their source.
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        source = error.source();
    }
    text
}
