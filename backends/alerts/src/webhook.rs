//! Alerts to any webhook, signed as the Standard Webhooks specify.
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
    Flow, Incident, Severity, StepError,
    backends::{Alert, AlertChange, Alerter, IncidentCursor, IncidentFilter, Page, Reply},
};

use crate::notify::{self, Checked, Notice, Notifier, Receiver};

const SECRET_PREFIX: &str = "whsec_";

/// Sends alerts to any webhook, signed with HMAC-SHA-256.
///
/// All alerts with the same service, environment, pattern, handler, code and severity are one failure. A notice `alert.firing` is
/// sent when the first entity fails, and `alert.resolved` when no entity has such an open alert any more. The body is
///
/// ```json
/// {"type": "alert.firing", "timestamp": "2026-11-25T12:00:00Z",
///  "data": {"service": "users", "environment": "prod", "pattern": "user",
///           "handler": "users::update_user", "code": "INTERNAL", "severity": "error",
///           "since": "2026-11-25T12:00:00Z", "resolved_at": null, "entities": 1, "more_entities": false, "count": 1,
///           "message": "disk full", "entity": "users::user:42", "flow": "019ab…"}}
/// ```
///
/// With the summary of a [storm](graceful::Incident::storm) `more_entities` is true, and `entities` is a lower bound.
///
/// The [alert store](Builder::alert_store) contains the open alerts of the entities. Default: [`memory::Alerts`](graceful::backends::memory::Alerts).
/// A notice that could not be sent, or that the receiver refused, is sent again each minute with the same `webhook-id`. After a
/// restart the notices of open alerts are sent again.
///
/// # How a receiver verifies it
///
/// The signature is that of the [Standard Webhooks](https://www.standardwebhooks.com), so their libraries verify it. To verify it
/// yourself: join the headers `webhook-id` and `webhook-timestamp` and the body by dots, and compute the HMAC-SHA-256 of that under
/// the secret. The header `webhook-signature` holds `v1,` and its base64. Refuse a timestamp that is too old, as it is a replay. A
/// repeated id means that the notice is the same.
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
///         // The comparison takes constant time.
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

/// Builds a [`Webhook`].
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
    /// Starts the settings of the webhook at this URL, with the secret that signs the notices: `whsec_` and base64, or a plain text.
    /// Neither the secret nor the URL is ever shown, because the path of a URL often is a secret.
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
    /// Authenticates by HTTP Basic, in addition to the signature.
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

    /// Authenticates by a bearer token, in addition to the signature.
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

    /// Sets the timeout of a request. Default: 900 ms, of which 500 ms to connect.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.http.timeout(timeout);
        self
    }

    /// Sets how often a notice that could not be sent is retried. Default: each minute.
    pub fn retry_every(mut self, time: Duration) -> Self {
        self.notify.every = time;
        self
    }

    /// Sets how long after its last failure an entity counts as failing if it has no `Ok`. Default: 24 hours.
    pub fn quiet_after(mut self, time: Duration) -> Self {
        self.notify.quiet_after = time;
        self
    }

    /// Sets the store of the open alerts. Default: [`memory::Alerts`](graceful::backends::memory::Alerts), whose contents are lost with
    /// the process.
    ///
    /// ```
    /// use graceful::backends::memory;
    /// use graceful_alerts::webhook::Webhook;
    ///
    /// let alert_store = memory::Alerts::with_capacity(100);
    /// let alerts = Webhook::builder("https://example.org", "secret").alert_store(alert_store).build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn alert_store(mut self, alert_store: impl Alerter) -> Self {
        self.notify.alert_store = Some(Arc::new(alert_store));
        self
    }

    /// Builds the alerter. Inside a Tokio runtime it sends the open alerts of the alert store at once.
    ///
    /// # Errors
    /// Fails if the URL is invalid or its scheme is not `http` or `https`, or if the secret is empty or not base64 after `whsec_`.
    ///
    /// ```
    /// # use graceful_alerts::webhook::Webhook;
    /// let error = Webhook::builder("https://example.org", "").build().unwrap_err();
    /// assert_eq!(error.message(), "the secret of the webhook is empty: set one");
    /// ```
    pub fn build(self) -> Result<Webhook, StepError> {
        let alert_store = self.notify.alert_store.clone();
        self.checked().map(|checked| Webhook(checked.notifier(alert_store)))
    }

    /// Checks all settings, without sending anything.
    pub(crate) fn checked(mut self) -> Result<Checked<Hook>, StepError> {
        let url = self.http.url(&self.url)?;
        let secret = match self.secret.strip_prefix(SECRET_PREFIX) {
            Some(encoded) => BASE64_STANDARD.decode(encoded).map_err(|_| {
                StepError::new("the secret of the webhook is not valid base64 after `whsec_`")
            })?,
            None => self.secret.into_bytes(),
        };
        if secret.is_empty() {
            return Err(StepError::new("the secret of the webhook is empty: set one"));
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

    async fn send(&self, notice: &Notice) -> Result<(), StepError> {
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

/// The id of a notice. It does not change when the notice is sent again, so that a receiver can detect duplicates.
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
    let Notice { group, since, resolved_at, count, message, entity, flow, .. } = notice;
    let entities = notice.entities();
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
            "entities": entities.number,
            "more_entities": entities.more,
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

    fn close(&self, incident: &Incident) -> Reply<AlertChange> {
        self.0.close(incident)
    }

    fn open(
        &self,
        filter: IncidentFilter,
        after: Option<IncidentCursor>,
        limit: usize,
    ) -> Reply<Page<Alert, IncidentCursor>> {
        self.0.open(filter, after, limit)
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
