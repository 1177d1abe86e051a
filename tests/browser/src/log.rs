//! What the browser reports about its pages.

use serde::Deserialize;
use serde_json::Value;
use thirtyfour::{BrowserLogEntry, WebDriver, error::WebDriverResult};
use url::Url;

/// A line of the browser's console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `SEVERE`, `WARNING`, `INFO` or `DEBUG`.
    pub level: String,
    /// `security` for a violation of the content security policy, `javascript` for an exception, `network` for a failed request,
    /// `console-api` for `console.error(…)`.
    pub source: String,
    pub message: String,
}

/// All that was reported since the start: `ChromeDriver` reports each line once.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) entries: Vec<Entry>,
    /// The URLs of requests, in their order.
    pub(crate) requests: Vec<String>,
}

impl Log {
    pub(crate) async fn read_on(&mut self, driver: &WebDriver) -> WebDriverResult<()> {
        self.entries.extend(driver.get_log("browser").await?.into_iter().map(Entry::from));
        let events = driver.get_log("performance").await?;
        self.requests.extend(events.iter().filter_map(|event| requested(&event.message)));
        Ok(())
    }
}

impl From<BrowserLogEntry> for Entry {
    fn from(entry: BrowserLogEntry) -> Self {
        let BrowserLogEntry { level, message, source, .. } = entry;
        Self { level, source: source.unwrap_or_default(), message }
    }
}

/// The URL that an event of the `DevTools` protocol says was requested over the network.
fn requested(event: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Event {
        message: Message,
    }
    #[derive(Deserialize)]
    struct Message {
        method: String,
        params: Value,
    }
    let Message { method, params } = serde_json::from_str::<Event>(event).unwrap().message;
    let url = match method.as_str() {
        "Network.requestWillBeSent" => &params["request"]["url"],
        "Network.webSocketCreated" | "Network.webTransportCreated" => &params["url"],
        _ => return None,
    };
    let url = url.as_str().unwrap();
    // Chromium's own pages are `chrome:`, and `data:` and `blob:` need no network.
    ["http:", "https:", "ws:", "wss:"].iter().any(|scheme| url.starts_with(scheme)).then(|| url.to_owned())
}

/// Whether it belongs to `http://host:port`. A WebSocket belongs to the page's origin too.
pub(crate) fn is_within(url: &str, origin: &str) -> bool {
    let url = url.replacen("ws", "http", usize::from(url.starts_with("ws")));
    Url::parse(&url).is_ok_and(|url| url.origin().ascii_serialization() == origin)
}
