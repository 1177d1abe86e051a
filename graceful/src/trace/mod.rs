//! The position of a call in a distributed trace, by the rules of W3C Trace Context.

#[cfg(feature = "opentelemetry")]
pub(crate) mod opentelemetry;
mod parent;
mod state;

pub use self::{
    parent::{ParseTraceParentError, TraceParent},
    state::{ParseTraceStateError, TraceState},
};
