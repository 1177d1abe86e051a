//! A crate that knows `graceful` by another name, and what it has for others under its own.

/// As a framework would pass it on.
#[doc(hidden)]
pub mod private {
    pub use polite;
}
