//! The attribute on real code: every shape of function, what it leaves unchanged, and lints.
#![allow(missing_docs, reason = "tests")]

mod behaviour;
mod catalogue;
mod classify;
mod lints;
mod shapes;
mod shapes_2024;
