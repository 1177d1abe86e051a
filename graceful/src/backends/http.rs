//! What is behind a URL.
//!
//! Of a URL only its origin is ever shown: user and password are secrets, and so may be a path or a query.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{
    Client, Response, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use rustls::{ClientConfig, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt;

use crate::StepError;

/// Below the second that an inline step has.
pub const TIMEOUT: Duration = Duration::from_millis(900);
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// How much of an answer that refuses is told.
const TOLD: usize = 200;

#[derive(Clone)]
enum Auth {
    Basic(String, String),
    Bearer(String),
}

/// A client and the secrets that it shows a server.
#[derive(Clone)]
pub struct Http {
    client: Client,
    auth: Option<Auth>,
    pub timeout: Duration,
}

/// What [`Http`] is made from.
#[derive(Clone)]
pub struct Settings {
    auth: Option<Auth>,
    timeout: Duration,
}

impl Settings {
    pub const fn new() -> Self {
        Self { auth: None, timeout: TIMEOUT }
    }

    pub fn basic_auth(&mut self, user: String, password: String) {
        self.auth = Some(Auth::Basic(user, password));
    }

    pub fn bearer_auth(&mut self, token: String) {
        self.auth = Some(Auth::Bearer(token));
    }

    pub fn timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// A URL of `http` or `https`; user and password in it are taken out of it, and used where there are no others.
    pub fn url(&mut self, text: &str) -> Result<Url, StepError> {
        // The text itself is not told: it may hold secrets.
        let mut url = Url::parse(text).map_err(|error| StepError::new(format!("not a URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(StepError::new("the URL must begin with `http://` or `https://`, and name a host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let decoded =
                |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
            let (user, password) = (decoded(url.username()), decoded(url.password().unwrap_or_default()));
            self.auth.get_or_insert(Auth::Basic(user, password));
            let cleared = url.set_username("").and_then(|()| url.set_password(None));
            debug_assert!(cleared.is_ok(), "a URL with a host can be without a user");
        }
        Ok(url)
    }

    pub fn connect(self) -> Result<Http, StepError> {
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(BuilderVerifierExt::with_platform_verifier)
            .map_err(StepError::caused_by)?
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(CONNECT_TIMEOUT.min(self.timeout))
            // What is posted is for this server only.
            .redirect(Policy::none())
            .user_agent(concat!("graceful/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| StepError::caused_by(error.without_url()))?;
        Ok(Http { client, auth: self.auth, timeout: self.timeout })
    }
}

impl Http {
    /// Posts a body, and answers with the answer's, if the server was content.
    pub async fn post(
        &self,
        url: &Url,
        content_type: &'static str,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
        body: impl Into<reqwest::Body>,
    ) -> Result<Vec<u8>, StepError> {
        let headers: HeaderMap = headers.into_iter().collect();
        let request = self.client.post(url.clone()).timeout(self.timeout).header(CONTENT_TYPE, content_type);
        let request = match &self.auth {
            Some(Auth::Basic(user, password)) => request.basic_auth(user, Some(password)),
            Some(Auth::Bearer(token)) => request.bearer_auth(token),
            None => request,
        };
        let response =
            request.headers(headers).body(body).send().await.map_err(|error| failed(url, error))?;
        if !response.status().is_success() {
            return Err(refused(url, response).await);
        }
        let body = response.bytes().await.map_err(|error| failed(url, error))?;
        Ok(body.into())
    }
}

/// Where a URL leads, and none of its secrets.
pub fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn failed(url: &Url, error: reqwest::Error) -> StepError {
    let (origin, error) = (origin(url), error.without_url());
    // Of an error on the way, what went wrong is told by its innermost cause.
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    StepError::new(format!("{origin}: {cause}"))
}

async fn refused(url: &Url, mut response: Response) -> StepError {
    let (origin, status) = (origin(url), response.status());
    let said = response.chunk().await.ok().flatten().unwrap_or_default();
    let said: String =
        String::from_utf8_lossy(&said).chars().filter(|c| !c.is_control()).take(TOLD).collect();
    let colon = if said.is_empty() { "" } else { ": " };
    StepError::new(format!("{origin} answered {status}{colon}{said}"))
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic(..) => "Basic(…)",
            Self::Bearer(_) => "Bearer(…)",
        })
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("auth", &self.auth)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("auth", &self.auth).field("timeout", &self.timeout).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_url_are_used_and_not_shown() {
        let mut settings = Settings::new();
        let url = settings.url("https://ada:s%3Acret@example.org/path?token=secret").unwrap();
        assert_eq!(url.as_str(), "https://example.org/path?token=secret");
        assert_eq!(origin(&url), "https://example.org");
        assert!(
            matches!(&settings.auth, Some(Auth::Basic(user, password)) if user == "ada" && password == "s:cret")
        );
        assert_eq!(format!("{settings:?}"), "Settings { auth: Some(Basic(…)), timeout: 900ms }");
        let http = format!("{:?}", settings.connect().unwrap());
        assert!(!http.contains("cret"), "{http}");
    }

    #[test]
    fn what_was_given_beats_the_url() {
        let mut settings = Settings::new();
        settings.bearer_auth("token".to_owned());
        settings.url("https://ada:secret@example.org").unwrap();
        assert!(matches!(settings.auth, Some(Auth::Bearer(_))));
    }

    #[test]
    fn what_is_no_url_is_refused_without_telling_it() {
        for text in [
            "",
            "example.org",
            "ftp://ada:secret@example.org",
            "http://ada:secret@",
            "//secret",
            "mailto:secret",
        ] {
            let error = Settings::new().url(text).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
