//! The shapes and the behaviour of `graceful-tests`, in the edition before.
#![allow(missing_docs, reason = "tests")]

#[path = "../../tests/macros/behaviour/mod.rs"]
mod behaviour;
#[path = "../../tests/macros/shapes/mod.rs"]
mod shapes;
