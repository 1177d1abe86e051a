//! Who calls: the same for both servers.

use graceful::{Orchestrator, tower::ContextLayer};

/// Where another service would check a token's signature.
const TOKENS: [(&str, &str); 3] =
    [("token-of-root", "root"), ("token-of-ada", "ada"), ("token-of-bob", "bob")];

pub(super) fn layer(orchestrator: &Orchestrator) -> ContextLayer {
    ContextLayer::new().on(orchestrator).user(|request| {
        let token = request.headers.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")?;
        TOKENS.into_iter().find(|(known, _)| *known == token).map(|(_, user)| user)
    })
}
