//! Whether a form was sent by a page of this console.

use graceful::{Orchestrator, backends::Timestamp};
use http::{HeaderMap, header};

use super::{FormKey, Signed};
use crate::page::PageError;

/// For how many seconds a page's forms can be sent.
const VALID_FOR: i64 = 12 * 3600;

/// The token of a page's forms, for one operator: a time, and its signature.
#[derive(Debug)]
pub(crate) struct FormToken;

impl FormToken {
    pub(crate) async fn make(key: &FormKey, orchestrator: &Orchestrator, who: &str) -> Option<String> {
        let until = (Timestamp::now().as_second() + VALID_FOR).to_string();
        let signature = key.sign(orchestrator, Signed::Form, who, &until).await?;
        Some(format!("{until}.{signature}"))
    }

    pub(crate) async fn check(
        key: &FormKey,
        orchestrator: &Orchestrator,
        who: &str,
        token: &str,
    ) -> Result<(), PageError> {
        let (until, signature) = token.split_once('.').unwrap_or((token, ""));
        if !key.verify(orchestrator, Signed::Form, (who, until), signature).await {
            return Err(PageError::forbidden(
                "the form was made for somebody else: reload the page, and send it again",
            ));
        }
        match until.parse() {
            Ok(until) if Timestamp::now().as_second() < until => Ok(()),
            _ => Err(PageError::forbidden(
                "the page is older than 12 hours: reload it, and send the form again",
            )),
        }
    }
}

/// Refuses a request that a page of another site has sent.
///
/// A browser says where a request comes from in `Sec-Fetch-Site`; over plain HTTP to another machine only in `Origin`. A page without either may
/// be one of this console, so its form token decides.
pub(crate) fn check_origin(headers: &HeaderMap) -> Result<(), PageError> {
    let text = |name| headers.get(name).map(|value: &http::HeaderValue| value.to_str().unwrap_or("?"));
    let foreign = || Err(PageError::forbidden("the form was sent by a page of another site"));
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return if site == "same-origin" { Ok(()) } else { foreign() };
    }
    match text(header::ORIGIN) {
        None | Some("null") => Ok(()),
        Some(origin) => {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            let is_host = authority.is_some_and(|authority| {
                text(header::HOST).is_some_and(|host| host.eq_ignore_ascii_case(authority))
            });
            if is_host { Ok(()) } else { foreign() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(pairs: &[(&'static str, &str)]) -> bool {
        let headers =
            pairs.iter().map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap()));
        check_origin(&headers.collect()).is_ok()
    }

    #[test]
    fn page_of_another_site_is_refused() {
        assert!(is_allowed(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        for site in ["cross-site", "same-site", "none", ""] {
            assert!(!is_allowed(&[("sec-fetch-site", site)]), "{site}");
        }
        assert!(is_allowed(&[]));
        assert!(is_allowed(&[("origin", "null"), ("host", "lan:80")]));
        assert!(is_allowed(&[("origin", "http://LAN:8080"), ("host", "lan:8080")]));
        for origin in ["http://lan", "http://evil.example", "http://lan:8080.evil.example", "", "lan:8080"] {
            assert!(!is_allowed(&[("origin", origin), ("host", "lan:8080")]), "{origin}");
        }
    }
}
