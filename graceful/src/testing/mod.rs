//! For tests: of your service, and of a backend of your own.

pub mod conformance;
