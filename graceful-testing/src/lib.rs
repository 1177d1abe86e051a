//! `graceful-testing` is a crate for tests: a [`Recorder`] for services that use `graceful`, and [conformance suites](conformance) for
//! backends of your own.

pub mod conformance;
mod in_state;
mod recorder;

pub use self::{
    in_state::InState,
    recorder::{Effect, Recorded, Recorder},
};
