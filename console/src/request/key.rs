//! The key that signs form tokens and notices.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use graceful::{Orchestrator, backends::random_secret};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::sync::OnceCell;

/// The name of the secret in the store.
const SECRET: &str = "console";

/// The key. The consoles of all processes of a store have the same one; without a store it is a random one of this process.
#[derive(Debug, Default)]
pub(crate) struct FormKey(OnceCell<Vec<u8>>);

/// What a signature is for. A signature of one kind is none of another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signed {
    Form,
    Notice,
}

impl FormKey {
    /// The key; `None` if the store does not answer, or can only be read.
    async fn key(&self, orchestrator: &Orchestrator) -> Option<&[u8]> {
        let make = async || match orchestrator.flows().and_then(|store| store.operations()) {
            Some(operations) => operations.secret(SECRET).await,
            None => random_secret(),
        };
        match self.0.get_or_try_init(make).await {
            Ok(key) => Some(key),
            Err(error) => {
                let error = error.message();
                tracing::warn!(target: "graceful::console", error, "pages have no forms, because their key cannot be read");
                None
            }
        }
    }

    fn mac(key: &[u8], kind: Signed, who: &str, text: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        for part in [format!("{kind:?}").as_str(), who, text] {
            mac.update(&part.len().to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }

    /// Signs a text for an operator.
    pub(crate) async fn sign(
        &self,
        orchestrator: &Orchestrator,
        kind: Signed,
        who: &str,
        text: &str,
    ) -> Option<String> {
        let tag = Self::mac(self.key(orchestrator).await?, kind, who, text).finalize().into_bytes();
        Some(BASE64_URL_SAFE_NO_PAD.encode(tag))
    }

    /// Whether a text was signed for an operator, in constant time.
    pub(crate) async fn verify(
        &self,
        orchestrator: &Orchestrator,
        kind: Signed,
        (who, text): (&str, &str),
        signature: &str,
    ) -> bool {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(signature).ok();
        match (bytes, self.key(orchestrator).await) {
            (Some(bytes), Some(key)) => Self::mac(key, kind, who, text).verify_slice(&bytes).is_ok(),
            _ => false,
        }
    }
}
