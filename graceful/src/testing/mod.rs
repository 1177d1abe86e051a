//! For tests: of your service, and of a backend of your own.

pub mod conformance;
mod recorder;

pub(crate) use self::recorder::calling;
pub use self::recorder::{Effect, Recorded, Recorder};
