//! TLS by `rustls`, with a library of cryptography that is chosen for the program or by a feature.
//!
//! Nothing here is installed for the process, and no feature of ours but `ring`, and `nats` with it, adds a library to `rustls`: where there are
//! two of them, it takes neither by itself, and the rest of the program would panic.

use std::sync::Arc;

use rustls::{ClientConfig, ConfigBuilder, client::WantsClientCert, crypto::CryptoProvider};
use rustls_platform_verifier::BuilderVerifierExt;

/// What encrypts a connection to a server whose certificate the machine trusts.
pub fn client_config() -> Result<ClientConfig, String> {
    ClientConfig::builder_with_provider(provider()?)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map(ConfigBuilder::<ClientConfig, WantsClientCert>::with_no_client_auth)
        .map_err(|error| error.to_string())
}

/// The process', else that of a feature.
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
