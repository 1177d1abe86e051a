//! Tests of services that use `graceful`, and of backends of your own: an orchestrator that [records](Recorder), and what every
//! backend must do, as [suites](conformance).

pub mod conformance;
mod recorder;

pub use self::recorder::{Effect, Recorded, Recorder};
