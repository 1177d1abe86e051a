//! The HTTP client.
//!
//! Errors show only the origin of a URL, because user and password are secrets, and path and query may be.

use std::{error::Error, fmt, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use graceful::{
    StepError,
    backends::client::url::{ENCODE, is_well_formed},
};
use http::{
    Request, Response,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT},
};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::time::timeout;
use url::Url;

use crate::tls;

/// The default timeout of a request, which is below the time budget of an inline step (1 s).
pub const TIMEOUT: Duration = Duration::from_millis(900);
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// How many characters of an error response are shown.
const SHOWN: usize = 200;

#[derive(Clone)]
enum Auth {
    Basic(String, String),
    Bearer(String),
}

/// A client with its credentials.
#[derive(Clone)]
pub struct Http {
    client: Connections,
    auth: Option<Auth>,
    authorization: Option<HeaderValue>,
    /// The timeout of a request.
    pub timeout: Duration,
}

/// The TLS part of a client. Without an `https` URL the client needs no crypto provider.
#[derive(Clone)]
enum Connections {
    Plain(Client<HttpConnector, Full<Bytes>>),
    Encrypted(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

/// The settings of [`Http`].
#[derive(Clone)]
pub struct Settings {
    auth: Option<Auth>,
    timeout: Duration,
    encrypted: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

impl Settings {
    /// Creates settings without credentials, with the timeout [`TIMEOUT`].
    pub const fn new() -> Self {
        Self { auth: None, timeout: TIMEOUT, encrypted: false }
    }

    /// Sets the user and the password of each request.
    pub fn basic_auth(&mut self, user: String, password: String) {
        self.auth = Some(Auth::Basic(user, password));
    }

    /// Sets the bearer token of each request.
    pub fn bearer_auth(&mut self, token: String) {
        self.auth = Some(Auth::Bearer(token));
    }

    /// The timeout of a request.
    pub fn timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Parses a URL of `http` or `https`. User and password are removed from it, and used if no others are set.
    pub fn url(&mut self, text: &str) -> Result<Url, StepError> {
        // The error does not contain the text, because it may contain secrets.
        let mut url = Url::parse(text).map_err(|error| StepError::new(format!("not a URL: {error}")))?;
        if !is_well_formed(text) {
            return Err(StepError::new(format!("not a URL of `http` or `https`{ENCODE}")));
        }
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(StepError::new("not a URL with a host; expected `http://…` or `https://…`"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let decoded =
                |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
            let (user, password) = (decoded(url.username()), decoded(url.password().unwrap_or_default()));
            self.auth.get_or_insert(Auth::Basic(user, password));
            let cleared = url.set_username("").and_then(|()| url.set_password(None));
            debug_assert!(cleared.is_ok(), "a URL with a host can be without a user");
        }
        // A fragment is not part of a request.
        url.set_fragment(None);
        self.encrypted |= url.scheme() == "https";
        Ok(url)
    }

    /// Creates a client with these settings. It connects with its first request.
    ///
    /// # Errors
    /// Fails if a credential is not a valid header value, or for `https` without a crypto provider.
    pub fn connect(self) -> Result<Http, StepError> {
        let authorization = self.auth.as_ref().map(Auth::header).transpose()?;
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT.min(self.timeout)));
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_timer(TokioTimer::new());
        let client = match self.encrypted {
            false => Connections::Plain(client.build(connector)),
            true => {
                let tls = tls::client_config().map_err(StepError::new)?;
                let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
                Connections::Encrypted(client.build(https.wrap_connector(connector)))
            }
        };
        Ok(Http { client, auth: self.auth, authorization, timeout: self.timeout })
    }
}

impl Auth {
    fn header(&self) -> Result<HeaderValue, StepError> {
        let text = match self {
            Self::Basic(user, password) => {
                format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
            }
            Self::Bearer(token) => format!("Bearer {token}"),
        };
        // The error does not contain the value, because it is a secret.
        let mut header = HeaderValue::try_from(text).map_err(|_| {
            StepError::new("the token is not a valid header value: remove control characters")
        })?;
        header.set_sensitive(true);
        Ok(header)
    }
}

impl Http {
    /// Posts a body, and returns the body of a successful response. Redirects are not followed, because the body is meant for this server
    /// only.
    pub async fn post(
        &self,
        url: &Url,
        content_type: &'static str,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
        body: impl Into<Bytes>,
    ) -> Result<Vec<u8>, StepError> {
        let mut request =
            Request::post(url.as_str()).header(CONTENT_TYPE, content_type).header(USER_AGENT, OURS);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(body.into())).map_err(|error| failed(url, &error))?;
        let answered = timeout(self.timeout, async {
            let response = self.client.request(request).await.map_err(|error| failed(url, &error))?;
            if !response.status().is_success() {
                return Err(refused(url, response).await);
            }
            let body = response.into_body().collect().await.map_err(|error| failed(url, &error))?;
            Ok(body.to_bytes().into())
        });
        answered.await.unwrap_or_else(|_| {
            Err(StepError::new(format!("{}: timed out after {:?}", origin(url), self.timeout)))
        })
    }
}

const OURS: &str = concat!("graceful/", env!("CARGO_PKG_VERSION"));

impl Connections {
    async fn request(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, legacy::Error> {
        match self {
            Self::Plain(client) => client.request(request).await,
            Self::Encrypted(client) => client.request(request).await,
        }
    }
}

/// The origin of a URL, which contains no secrets.
pub fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn failed(url: &Url, error: &dyn Error) -> StepError {
    // The innermost cause describes best why a connection failed.
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    StepError::new(format!("{}: {cause}", origin(url)))
}

async fn refused(url: &Url, response: Response<Incoming>) -> StepError {
    let (origin, status) = (origin(url), response.status());
    let first = response.into_body().frame().await.and_then(Result::ok);
    let said = first.and_then(|frame| frame.into_data().ok()).unwrap_or_default();
    let said: String =
        String::from_utf8_lossy(&said).chars().filter(|c| !c.is_control()).take(SHOWN).collect();
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
        f.debug_struct("Settings")
            .field("auth", &self.auth)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
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
        assert_eq!(format!("{settings:?}"), "Settings { auth: Some(Basic(…)), timeout: 900ms, .. }");
        let http = format!("{:?}", settings.connect().unwrap());
        assert!(!http.contains("cret"), "{http}");
    }

    #[test]
    fn credentials_of_the_builder_override_those_of_the_url() {
        let mut settings = Settings::new();
        settings.bearer_auth("token".to_owned());
        settings.url("https://ada:secret@example.org").unwrap();
        assert!(matches!(settings.auth, Some(Auth::Bearer(_))));
    }

    #[test]
    fn invalid_url_is_refused_without_showing_it() {
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
