//! The text of a handler's error, for the log: whatever its type offers, found by method resolution at the call spec as in
//! [`probe`](super::probe).
//!
//! Asked in this order: [`Error`] with its sources; what boxes one; `Display`; `Debug`; and for any other type its name.

use std::{any::type_name, error::Error, fmt, ops::Deref};

use super::FlowBuilder;

/// An error, to ask for its text.
#[derive(Debug)]
pub struct OfError<'a, E: ?Sized>(OfBox<'a, E>);

/// What boxes an error, and is none itself.
#[derive(Debug)]
pub struct OfBox<'a, E: ?Sized>(OfDisplay<'a, E>);

/// What can be shown.
#[derive(Debug)]
pub struct OfDisplay<'a, E: ?Sized>(OfDebug<'a, E>);

/// What can be shown to developers.
#[derive(Debug)]
pub struct OfDebug<'a, E: ?Sized>(OfAnything<'a, E>);

/// What has no text.
#[derive(Debug)]
pub struct OfAnything<'a, E: ?Sized>(&'a E);

/// Asks.
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
        // What shows its sources in this way are `anyhow::Error`, `eyre::Report` and their like.
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

/// How many sources are shown: the chain of an external error may be endless.
const SOURCES: usize = 32;

fn with_sources(mut text: String, mut source: Option<&(dyn Error + 'static)>) -> String {
    for _ in 0..SOURCES {
        let Some(error) = source else { break };
        let next = error.to_string();
        // Many show their source in their own text.
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        source = error.source();
    }
    text
}
