//! A service whose flows are durable, to be killed, and what must hold of it afterwards.
#![allow(missing_docs, clippy::missing_panics_doc, reason = "for tests: a helper that panics fails the test")]

pub mod child;
pub mod service;
pub mod verdict;
