//! `graceful-http` is a crate for writers of backends: an HTTP client whose errors contain no secrets, and TLS settings.
//!
//! The program chooses the crypto provider of `rustls`, or enables the feature `ring`.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "client")]
mod client;
pub mod tls;

#[cfg(feature = "client")]
pub use self::client::{Http, Settings, TIMEOUT, origin};
