//! TLS by `rustls`, with the crypto provider that the program has installed, or that of the feature `ring`.
//!
//! This module installs no provider for the process. Only the feature `ring`, and `graceful-nats` with it, links one: if two providers are
//! linked, `rustls` cannot choose between them, and other clients of the program would panic.

use std::sync::Arc;

use rustls::{ClientConfig, ConfigBuilder, client::WantsClientCert, crypto::CryptoProvider};
use rustls_platform_verifier::BuilderVerifierExt;

/// The client configuration, which trusts the certificates of the machine.
pub fn client_config() -> Result<ClientConfig, String> {
    ClientConfig::builder_with_provider(provider()?)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map(ConfigBuilder::<ClientConfig, WantsClientCert>::with_no_client_auth)
        .map_err(|error| error.to_string())
}

/// The installed provider of the process, otherwise that of the feature `ring`.
fn provider() -> Result<Arc<CryptoProvider>, String> {
    let provider = CryptoProvider::get_default().cloned();
    provider.or_else(|| OF_A_FEATURE.map(|provider| Arc::new(provider()))).ok_or_else(|| {
        "an encrypted connection needs a crypto provider: enable the feature `ring` of the backend, or first install a provider for the \
         process, such as `rustls::crypto::aws_lc_rs::default_provider().install_default()`"
            .to_owned()
    })
}

#[cfg(feature = "ring")]
const OF_A_FEATURE: Option<fn() -> CryptoProvider> = Some(rustls::crypto::ring::default_provider);
#[cfg(not(feature = "ring"))]
const OF_A_FEATURE: Option<fn() -> CryptoProvider> = None;
