//! For tests of programs that use graceful.

mod recorder;

pub(crate) use self::recorder::calling;
pub use self::recorder::{Effect, Recorded, Recorder};
