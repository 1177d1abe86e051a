//! The integrations of frameworks, one module per crate.

#[cfg(feature = "axum")]
pub mod axum;
#[cfg(any(feature = "axum", feature = "tonic"))]
mod serve;
#[cfg(feature = "tonic")]
pub mod tonic;
#[cfg(feature = "tower")]
pub mod tower;
