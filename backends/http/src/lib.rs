//! What the backends of `graceful` share that speak HTTP, or TLS: a client whose errors hold no secrets, and the settings of TLS.
//!
//! It is for writers of backends; the library of cryptography is chosen by the program, or by the feature `ring`.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "client")]
mod client;
pub mod tls;

#[cfg(feature = "client")]
pub use self::client::{Http, Settings, TIMEOUT, origin};
