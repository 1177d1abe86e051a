//! Any webhook, signed as the Standard Webhooks are.
//!
//! Feature `webhook`.

use std::{fmt, sync::Arc, time::Duration};

use ::http::{HeaderName, HeaderValue};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use graceful_http::{self as http, Http, origin};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use url::Url;

use graceful::{
    Flow, Severity, StepError,
    backends::{Alert, AlertChange, Alerter, Reply},
};

use crate::notify::{self, Checked, Notice, Notifier, Receiver};

const SECRET_PREFIX: &str = "whsec_";

/// Tells any webhook what fails, and when it is right again, signed with HMAC-SHA-256.
///
/// One notice is about one failure (service, environment, pattern, handler, code and severity), however many entities have it and
/// however often: `alert.firing` when its first entity fails, `alert.resolved` when no entity has an open alert of it any
/// more. The body is
///
/// ```json
/// {"type": "alert.firing", "timestamp": "2026-11-25T12:00:00Z",
///  "data": {"service": "users", "environment": "prod", "pattern": "user",
///           "handler": "users::update_user", "code": "INTERNAL", "severity": "error",
///           "since": "2026-11-25T12:00:00Z", "resolved_at": null, "entities": 1, "count": 1,
///           "message": "disk full", "entity": "users::user:42", "flow": "019ab…"}}
/// ```
///
/// Which entity's alert is open is known by the book, [`memory::Alerts`](graceful::backends::memory::Alerts) unless another is
/// [given](Builder::book). What the receiver could not be told, or told that it refused, it is told again each minute, with
/// the same `webhook-id`; after a restart it is told again what is open.
///
/// # How a receiver verifies it
///
/// The signature is that of the [Standard Webhooks](https://www.standardwebhooks.com), so their libraries verify it. By hand:
/// the header `webhook-signature` holds `v1,` and the base64 of the HMAC-SHA-256, under the secret, of the headers
/// `webhook-id` and `webhook-timestamp` and the body, joined by dots. A timestamp that is too old is a replay; an id that was
/// seen before is the same notice.
///
/// ```
/// use base64::{Engine, prelude::BASE64_STANDARD};
/// use hmac::{Hmac, KeyInit, Mac};
/// use sha2::Sha256;
///
/// fn mac(secret: &[u8], signed: &[u8]) -> Hmac<Sha256> {
///     Hmac::new_from_slice(secret).expect("a secret has any length").chain_update(signed)
/// }
///
/// fn is_ours(secret: &[u8], id: &str, timestamp: &str, body: &[u8], signature: &str, now: u64) -> bool {
///     let Ok(sent) = timestamp.parse::<u64>() else { return false };
///     let Some(Ok(signature)) = signature.strip_prefix("v1,").map(|it| BASE64_STANDARD.decode(it)) else { return false };
///     let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
///     now.abs_diff(sent) <= 5 * 60
///         // In a time that does not depend on where they differ.
///         && mac(secret, &signed).verify_slice(&signature).is_ok()
/// }
///
/// let mac = BASE64_STANDARD.encode(mac(b"secret", b"msg_1.1764072000.{}").finalize().into_bytes());
/// assert!(is_ours(b"secret", "msg_1", "1764072000", b"{}", &format!("v1,{mac}"), 1_764_072_001));
/// assert!(!is_ours(b"secret", "msg_1", "1764072000", b"{ }", &format!("v1,{mac}"), 1_764_072_001));
/// ```
///
/// # Example
///
/// ```no_run
/// use graceful::Orchestrator;
/// use graceful_alerts::webhook::Webhook;
///
/// let alerts = Webhook::builder("https://example.org/hooks/alerts", std::env::var("WEBHOOK_SECRET")?).build()?;
/// let orchestrator = Orchestrator::builder().service("users").environment("prod").alerts(alerts).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Webhook(Notifier<Hook>);

/// From settings to a [`Webhook`].
///
/// ```
/// let builder = graceful_alerts::webhook::Webhook::builder("https://example.org/secret", "secret");
/// assert!(!format!("{builder:?}").contains("secret"));
/// ```
#[must_use]
pub struct Builder {
    url: String,
    secret: String,
    http: http::Settings,
    notify: notify::Settings,
}

impl Webhook {
    /// The webhook at this URL, and the secret that it verifies signatures with: `whsec_` and base64, or a text as it is.
    /// Neither is ever shown, since the path of a URL often is a secret.
    ///
    /// ```
    /// use graceful_alerts::webhook::Webhook;
    ///
    /// let alerts = Webhook::builder("https://example.org/hooks", "whsec_c2VjcmV0").build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn builder(url: impl Into<String>, secret: impl Into<String>) -> Builder {
        Builder {
            url: url.into(),
            secret: secret.into(),
            http: http::Settings::new(),
            notify: notify::Settings::new(),
        }
    }
}

impl Builder {
    /// Names a user to the receiver, by HTTP Basic, beside the signature.
    ///
    /// ```
    /// # use graceful_alerts::webhook::Webhook;
    /// let alerts = Webhook::builder("https://example.org", "secret").basic_auth("users", "password").build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn basic_auth(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.http.basic_auth(user.into(), password.into());
        self
    }

    /// Shows a token to the receiver, beside the signature.
    ///
    /// ```
    /// # use graceful_alerts::webhook::Webhook;
    /// let alerts = Webhook::builder("https://example.org", "secret").bearer_auth("token").build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn bearer_auth(mut self, token: impl Into<String>) -> Self {
        self.http.bearer_auth(token.into());
        self
    }

    /// How long a request may take. Default: 900 ms, of which 500 ms to connect.
    ///
    /// ```
    /// # use graceful_alerts::webhook::Webhook;
    /// let second = std::time::Duration::from_secs(1);
    /// let alerts = Webhook::builder("https://example.org", "secret").timeout(second).build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.http.timeout(timeout);
        self
    }

    /// How often it is tried again to tell what could not be told. Default: each minute.
    ///
    /// ```
    /// # use graceful_alerts::webhook::Webhook;
    /// let seconds = std::time::Duration::from_secs(5);
    /// let alerts = Webhook::builder("https://example.org", "secret").retry_every(seconds).build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn retry_every(mut self, time: Duration) -> Self {
        self.notify.every = time;
        self
    }

    /// How long after its last failure an entity counts as failing, if there is no `Ok` of it at all. Default: 24 hours.
    ///
    /// ```
    /// # use graceful_alerts::webhook::Webhook;
    /// let hour = std::time::Duration::from_secs(60 * 60);
    /// let alerts = Webhook::builder("https://example.org", "secret").quiet_after(hour).build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn quiet_after(mut self, time: Duration) -> Self {
        self.notify.quiet_after = time;
        self
    }

    /// Who knows the open alert of each entity. Default: [`memory::Alerts`](graceful::backends::memory::Alerts), which forgets
    /// them with the process.
    ///
    /// ```
    /// use graceful::backends::memory;
    /// use graceful_alerts::webhook::Webhook;
    ///
    /// let book = memory::Alerts::with_capacity(100);
    /// let alerts = Webhook::builder("https://example.org", "secret").book(book).build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn book(mut self, book: impl Alerter) -> Self {
        self.notify.book = Some(Arc::new(book));
        self
    }

    /// An alerter; the receiver is told at once what is open in the book, if there is a runtime.
    ///
    /// # Errors
    /// Where the URL is none, or not of `http` or `https`; where the secret is empty, or not base64 after its `whsec_`.
    ///
    /// ```
    /// # use graceful_alerts::webhook::Webhook;
    /// let error = Webhook::builder("https://example.org", "").build().unwrap_err();
    /// assert_eq!(error.message(), "the secret of a webhook is empty");
    /// ```
    pub fn build(self) -> Result<Webhook, StepError> {
        let book = self.notify.book.clone();
        self.checked().map(|checked| Webhook(checked.notifier(book)))
    }

    /// All that can be wrong is found; nobody is told yet.
    pub(crate) fn checked(mut self) -> Result<Checked<Hook>, StepError> {
        let url = self.http.url(&self.url)?;
        let secret = match self.secret.strip_prefix(SECRET_PREFIX) {
            Some(encoded) => BASE64_STANDARD
                .decode(encoded)
                .map_err(|_| StepError::new("the secret of a webhook is not base64 after its `whsec_`"))?,
            None => self.secret.into_bytes(),
        };
        if secret.is_empty() {
            return Err(StepError::new("the secret of a webhook is empty"));
        }
        let hook = Hook { http: self.http.connect()?, url, secret };
        Ok(Checked::new(hook, self.notify))
    }
}

pub(crate) struct Hook {
    http: Http,
    url: Url,
    secret: Vec<u8>,
}

impl Receiver for Hook {
    const FORGETS: bool = false;

    async fn tell(&self, notice: &Notice) -> Result<(), StepError> {
        let (now, id) = (Timestamp::now(), id(notice));
        let body = body(notice, now);
        let timestamp = now.as_second().to_string();
        let signature = self.signature(&id, &timestamp, &body);
        let headers =
            [("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", signature)];
        let headers = headers.map(|(name, value)| {
            let value = HeaderValue::from_str(&value).expect("digits, hex and base64 are valid in a header");
            (HeaderName::from_static(name), value)
        });
        self.http.post(&self.url, "application/json", headers, body).await.map(drop)
    }
}

impl Hook {
    fn signature(&self, id: &str, timestamp: &str, body: &str) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("a secret has any length");
        let mac = mac.chain_update(format!("{id}.{timestamp}.{body}"));
        format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// The same for the same notice, so that a receiver knows one that comes again.
fn id(notice: &Notice) -> String {
    let group = &notice.group;
    let name = json!([
        group.service,
        group.environment,
        group.pattern,
        group.owner,
        group.code,
        group.severity,
        notice.since,
        notice.resolved_at.is_some(),
    ]);
    let digest = Sha256::digest(name.to_string());
    let id = u128::from_be_bytes(digest[..16].try_into().expect("it is 32 bytes long"));
    format!("msg_{id:032x}")
}

fn body(notice: &Notice, now: Timestamp) -> String {
    let Notice { group, since, resolved_at, entities, count, message, entity, flow, .. } = notice;
    json!({
        "type": if resolved_at.is_some() { "alert.resolved" } else { "alert.firing" },
        "timestamp": now,
        "data": {
            "service": group.service,
            "environment": group.environment,
            "pattern": group.pattern,
            "handler": group.owner,
            "code": group.code,
            "severity": group.severity,
            "since": since,
            "resolved_at": resolved_at,
            "entities": entities,
            "count": count,
            "message": message,
            "entity": entity.to_string(),
            "flow": flow,
        },
    })
    .to_string()
}

impl Alerter for Webhook {
    fn fire(&self, flow: &Arc<Flow>, severity: Severity) -> Reply<AlertChange> {
        self.0.fire(flow, severity)
    }

    fn resolve(&self, flow: &Arc<Flow>) -> Reply<AlertChange> {
        self.0.resolve(flow)
    }

    fn open(&self) -> Reply<Vec<Alert>> {
        self.0.open()
    }

    fn resolved(&self, limit: usize) -> Reply<Vec<Alert>> {
        self.0.resolved(limit)
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("server", &origin(&self.url))
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("http", &self.http)
            .field("notify", &self.notify)
            .finish_non_exhaustive()
    }
}
