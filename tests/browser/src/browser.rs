//! A browser for one test.

use std::{
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    time::Duration,
};

use graceful_tests::{gate::until, requirement};
use serde_json::{Value, json};
use thirtyfour::{
    By, CapabilitiesHelper as _, ChromeCapabilities, ChromiumLikeCapabilities as _, DesiredCapabilities,
    WebDriver, WebElement,
    error::{WebDriverError, WebDriverErrorInner, WebDriverResult},
    support::base64_decode,
};
use tokio::sync::Mutex;

use crate::{
    axe,
    chromedriver::Chromedriver,
    client::HyperClient,
    log::{Entry, Log, is_within},
    view::View,
};

/// How a [`Browser`] is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Of its first tab and of those that [`Browser::open_tab`] opens.
    pub view: View,
    /// Whether pages may run scripts. The commands of `WebDriver` work without them too.
    pub javascript: bool,
    /// A name such as `Asia/Kolkata`.
    pub time_zone: &'static str,
    /// Names that lead to 127.0.0.1. Beside them, `localhost` and addresses of loopback, no name and no address can be reached.
    pub hosts: Vec<&'static str>,
}

impl Default for Options {
    /// A wide, light view with JavaScript, in UTC.
    fn default() -> Self {
        Self { view: View::WIDE, javascript: true, time_zone: "UTC", hosts: Vec::new() }
    }
}

/// A headless Chromium with a profile of its own, which ends when this is dropped. The methods of [`WebDriver`] control it.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    options: Options,
    log: Mutex<Log>,
    processes: Chromedriver,
}

impl Deref for Browser {
    type Target = WebDriver;

    fn deref(&self) -> &WebDriver {
        &self.driver
    }
}

impl Browser {
    pub async fn start(options: &Options) -> Self {
        let processes = Chromedriver::start();
        let capabilities = capabilities(options, &processes.directory.path().join("profile")).unwrap();
        let driver =
            WebDriver::builder(processes.url(), capabilities).client(HyperClient::new()).await.unwrap();
        let browser = Self { driver, options: options.clone(), log: Mutex::default(), processes };
        browser.prepare_tab().await.unwrap();
        browser
    }

    /// Opens a tab and switches to it, with the options of the browser.
    pub async fn open_tab(&self) {
        let tab = self.driver.new_tab().await.unwrap();
        self.driver.switch_to_window(tab).await.unwrap();
        self.prepare_tab().await.unwrap();
    }

    /// The settings of the `DevTools` protocol belong to one tab.
    async fn prepare_tab(&self) -> WebDriverResult<()> {
        let zone = json!({ "timezoneId": self.options.time_zone });
        self.driver.cdp().send_raw("Emulation.setTimezoneOverride", zone).await?;
        self.options.view.show(&self.driver).await
    }

    /// Shows the current tab so, from now on.
    pub async fn show_on(&self, view: View) {
        view.show(&self.driver).await.unwrap();
    }

    /// All lines of the console since the start.
    pub async fn console(&self) -> Vec<Entry> {
        let mut log = self.log.lock().await;
        log.read_on(&self.driver).await.unwrap();
        log.entries.clone()
    }

    /// The errors among the [lines of the console](Self::console): exceptions, `console.error(…)`, failed requests, and violations of the content
    /// security policy. Each is `SOURCE: MESSAGE`.
    pub async fn errors(&self) -> Vec<String> {
        let errors = self.console().await.into_iter().filter(|entry| entry.level == "SEVERE");
        errors.map(|Entry { source, message, .. }| format!("{source}: {message}")).collect()
    }

    /// The URL of each request since the start, also of those that failed. A page without an icon requests `/favicon.ico` after it has loaded.
    pub async fn requests(&self) -> Vec<String> {
        let mut log = self.log.lock().await;
        log.read_on(&self.driver).await.unwrap();
        log.requests.clone()
    }

    /// Of the [requests](Self::requests), those to another origin than this one, such as `http://127.0.0.1:8080`.
    pub async fn requests_outside(&self, origin: &str) -> Vec<String> {
        self.requests().await.into_iter().filter(|url| !is_within(url, origin)).collect()
    }

    /// What axe-core finds against the accessibility of the current page as it is shown now, a line for each element.
    ///
    /// # Panics
    /// Without JavaScript.
    pub async fn axe(&self) -> Vec<String> {
        assert!(self.options.javascript, "axe-core needs JavaScript");
        axe::violations(&self.driver).await.unwrap()
    }

    /// Writes the whole current page into `target/screenshots/NAME.png`, with what lies below the viewport.
    pub async fn screenshot(&self, name: &str) -> PathBuf {
        let metrics = self.driver.cdp().send_raw("Page.getLayoutMetrics", json!({})).await.unwrap();
        let mut clip = metrics["cssContentSize"].clone();
        clip["scale"] = json!(1);
        let asked = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let taken = self.driver.cdp().send_raw("Page.captureScreenshot", asked).await.unwrap();
        let png = base64_decode(taken["data"].as_str().unwrap()).unwrap();
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
        fs::create_dir_all(&directory).unwrap();
        let file = directory.join(format!("{name}.png"));
        fs::write(&file, png).unwrap();
        file
    }

    /// Does something with the first element that is found: waits until there is one, and tries again when the page replaced it in between.
    pub async fn with<T>(&self, by: By, act: impl AsyncFn(WebElement) -> WebDriverResult<T>) -> T {
        let tries = async {
            loop {
                let done = match self.driver.find(by.clone()).await {
                    Ok(element) => act(element).await,
                    Err(error) => Err(error),
                };
                match done {
                    Ok(value) => return value,
                    Err(error) if is_replaced(&error) => tokio::time::sleep(Duration::from_millis(5)).await,
                    Err(error) => panic!("{by}: {error}"),
                }
            }
        };
        let Ok(value) = tokio::time::timeout(Duration::from_secs(30), tries).await else {
            panic!("{by} is not there: {}", self.driver.source().await.unwrap())
        };
        value
    }

    /// Clicks the first element that is found, as [`with`](Self::with) does.
    pub async fn click(&self, by: By) {
        self.with(by, async |element| element.click().await).await;
    }

    /// Types into the first element that is found, as [`with`](Self::with) does.
    pub async fn type_into(&self, by: By, text: &str) {
        self.with(by, async |element| element.send_keys(text).await).await;
    }

    /// The text of the first element that is found, as [`with`](Self::with) does.
    pub async fn text(&self, by: By) -> String {
        self.with(by, async |element| element.text().await).await
    }

    /// Waits until the current page has this title: a click returns before the page that it leads to is there.
    pub async fn until_title(&self, title: &str) {
        until(|| async { self.driver.title().await.is_ok_and(|shown| shown == title) }).await;
    }

    /// Waits until the first element that this CSS selector finds has this text.
    pub async fn until_text(&self, selector: &str, text: &str) {
        until(|| async {
            let Ok(element) = self.driver.find(By::Css(selector)).await else { return false };
            // The page may have replaced it since.
            element.text().await.is_ok_and(|shown| shown == text)
        })
        .await;
    }

    /// The id of the process group of Chromium and `ChromeDriver`.
    pub fn process_group(&self) -> u32 {
        self.processes.group()
    }

    /// Where the two have their files.
    pub fn directory(&self) -> &Path {
        self.processes.directory.path()
    }
}

impl Drop for Browser {
    /// Its processes are killed, so the session need not be ended.
    fn drop(&mut self) {
        let _ = self.driver.clone().leak();
    }
}

/// Whether an element is not there yet, or belongs to a page that is left.
fn is_replaced(error: &WebDriverError) -> bool {
    matches!(
        error.as_inner(),
        WebDriverErrorInner::NoSuchElement(_) | WebDriverErrorInner::StaleElementReference(_)
    )
}

fn capabilities(options: &Options, profile: &Path) -> WebDriverResult<ChromeCapabilities> {
    let mut capabilities = DesiredCapabilities::chrome();
    capabilities.set_binary(requirement::program("chromium").to_str().unwrap())?;
    for argument in [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        // They would take their width from the page's.
        "--hide-scrollbars",
        "--disable-dev-shm-usage",
        // Its processes would not belong to the group.
        "--disable-breakpad",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        &format!("--user-data-dir={}", profile.display()),
        &format!("--host-resolver-rules={}", hosts(&options.hosts)),
    ] {
        capabilities.add_arg(argument)?;
    }
    if !options.javascript {
        // 2 is "block".
        let preferences = json!({ "profile.managed_default_content_settings.javascript": 2 });
        capabilities.add_experimental_option("prefs", preferences)?;
    }
    let logged: Value = json!({ "browser": "ALL", "performance": "ALL" });
    capabilities.set("goog:loggingPrefs", logged)?;
    Ok(capabilities)
}

fn hosts(names: &[&str]) -> String {
    let mapped: Vec<_> = names.iter().map(|name| format!("MAP {name} 127.0.0.1, ")).collect();
    mapped.concat() + "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]"
}
