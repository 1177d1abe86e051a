//! The package of the examples: see `examples/`. What is more than a program is here, so that tests can drive it.

pub mod users;
