//! The tests of shapes and behaviour of `graceful-tests`, compiled in edition 2021.
#![allow(missing_docs, reason = "tests")]

#[path = "../../tests/macros/behaviour/mod.rs"]
mod behaviour;
#[path = "../../tests/macros/shapes/mod.rs"]
mod shapes;
