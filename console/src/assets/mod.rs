//! The files of the pages. Their names contain a hash of their contents, so browsers can store them for ever.

use std::{
    fmt::Write as _,
    sync::{Arc, LazyLock},
};

use axum::{Router, response::IntoResponse as _, routing::get};
use http::header;
use sha2::{Digest as _, Sha256};

use crate::Shared;

/// A file.
#[derive(Debug)]
pub(crate) struct Asset {
    content: &'static [u8],
    kind: &'static str,
    path: LazyLock<String>,
}

macro_rules! asset {
    ($file:literal, $stem:literal, $extension:literal, $kind:literal) => {
        Asset {
            content: include_bytes!($file),
            kind: $kind,
            path: LazyLock::new(|| path(include_bytes!($file), $stem, $extension)),
        }
    };
}

pub(crate) static STYLE: Asset = asset!("style.css", "style", "css", "text/css; charset=utf-8");
pub(crate) static SCRIPT: Asset = asset!("script.js", "script", "js", "text/javascript; charset=utf-8");
pub(crate) static ICON: Asset = asset!("icon.svg", "icon", "svg", "image/svg+xml");

fn path(content: &[u8], stem: &str, extension: &str) -> String {
    let mut hash = String::new();
    for byte in &Sha256::digest(content)[..8] {
        let _ = write!(hash, "{byte:02x}");
    }
    format!("assets/{stem}-{hash}.{extension}")
}

impl Asset {
    /// The path below the console's own.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

/// The routes of the files. They contain no data, so everybody may have them.
pub(crate) fn routes(at: &str) -> Router<Arc<Shared>> {
    [&STYLE, &SCRIPT, &ICON].into_iter().fold(Router::new(), |router, asset: &'static Asset| {
        let headers = [
            (header::CONTENT_TYPE, asset.kind),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        ];
        router.route(
            &format!("{at}/{}", asset.path()),
            get(async move || (headers, asset.content).into_response()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn script_is_small() {
        assert!(SCRIPT.content.len() < 15_000, "{} bytes", SCRIPT.content.len());
    }
}
