//! A console to look at.

use std::net::SocketAddr;

use axum::Router;
use graceful::Orchestrator;
use graceful_console::{
    Accent, Console,
    access::{Access, Permission},
    measurements::Measurements,
};
use graceful_tests_browser::{Browser, By};
use tokio::net::TcpListener;

/// A console in which everybody may do everything.
pub fn console(orchestrator: &Orchestrator) -> Console {
    let access = async |_| Access::act("ada", Permission::ALL);
    Console::new(orchestrator, access).accent(Accent::Blue).measurements(&Measurements::default())
}

/// Serves these routes on a free port, with the addresses of the peers, until the runtime ends.
pub async fn serve(routes: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { axum::serve(listener, service).await.unwrap() });
    address
}

/// Serves the console at the root, and returns the origin.
pub async fn origin(orchestrator: &Orchestrator) -> String {
    format!("http://{}", serve(console(orchestrator).router()).await)
}

/// Clicks what leads to another page, and waits for its heading.
pub async fn go(browser: &Browser, selector: &str, heading: &str) {
    browser.click(By::Css(selector)).await;
    browser.until_text("h1", heading).await;
}

/// Clicks the button of an action, and waits until the page that it leads to has this text somewhere.
pub async fn press(browser: &Browser, selector: &str, text: &str) {
    browser.click(By::Css(selector)).await;
    until_contains(browser, text).await;
}

pub async fn until_contains(browser: &Browser, text: &str) {
    let mut shown = String::new();
    let waited = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        loop {
            // The element may belong to the page that is left.
            if let Ok(main) = browser.find(By::Css("main")).await {
                shown = main.text().await.unwrap_or_default();
            }
            if shown.contains(text) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    });
    let is_shown = waited.await.is_ok();
    assert!(is_shown, "{text:?} is not shown, but: {shown}");
}

/// The value that a script returns.
pub async fn evaluate<T: serde::de::DeserializeOwned>(browser: &Browser, script: &str) -> T {
    browser.execute(script, []).await.unwrap().convert().unwrap()
}
