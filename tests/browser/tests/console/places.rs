//! The console below paths and behind proxies: every link, asset, form and redirect stays there.

use axum::Router;
use graceful::{Orchestrator, backends::FlowState};
use graceful_tests_browser::{Browser, By, Front, Options};

use crate::{
    site::{console, go, press, serve},
    stored::{dead, orchestrator, state},
};

async fn walk(orchestrator: &Orchestrator, first: &str, base: &str) {
    let browser = Browser::start(&Options::default()).await;
    browser.goto(first).await.unwrap();
    browser.until_text("h1", "Overview").await;
    for (link, heading) in [
        ("Flows", "Flows"),
        ("Failures", "Failures"),
        ("Handlers", "Handlers"),
        ("Operations", "Operations"),
        ("Overview", "Overview"),
        ("dead", "Flows"),
    ] {
        browser.click(By::LinkText(link)).await;
        browser.until_text("h1", heading).await;
        let url = browser.current_url().await.unwrap();
        assert!(url.as_str().starts_with(base), "{link}: {url}");
    }
    browser.type_into(By::Css(".filter input[name=entity]"), "orders::parcel:1").await;
    browser.click(By::Css(".filter button")).await;
    press(&browser, "a[title='00000000-0000-0000-0000-000000000001']", "Delivery").await;
    go(&browser, "form[action='act/resubmit'] button", "Operation").await;
    press(&browser, "form[action='act/run-resubmit'] button", "resubmitted 1 of 1").await;
    assert_eq!(state(orchestrator, 1).await, FlowState::Queued);
    browser.click(By::LinkText("JSON")).await;
    browser.until_text("pre", &browser.text(By::Css("pre")).await).await;
    let requests = browser.requests().await;
    let outside: Vec<_> = requests
        .iter()
        .filter(|url| !url.starts_with(base) && *url != first && !url.ends_with("/favicon.ico"))
        .collect();
    assert!(outside.is_empty() && requests.len() > 10, "{outside:#?}");
    assert!(requests.iter().any(|url| url.contains("/live?")), "{requests:#?}");
    assert_eq!(
        browser.errors().await.into_iter().filter(|error| !error.contains("favicon")).collect::<Vec<_>>(),
        [""; 0]
    );
}

async fn in_trouble() -> Orchestrator {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..4).await;
    orchestrator
}

#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn console_stays_at_the_root() {
    let orchestrator = in_trouble().await;
    let address = serve(Router::new().merge(console(&orchestrator).router())).await;
    let base = format!("http://{address}/");
    walk(&orchestrator, &base, &base).await;
}

#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn console_stays_where_it_is_nested() {
    let orchestrator = in_trouble().await;
    let address = serve(Router::new().nest("/a/b", console(&orchestrator).router())).await;
    walk(&orchestrator, &format!("http://{address}/a/b"), &format!("http://{address}/a/b/")).await;
}

#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn console_stays_at_its_path() {
    let orchestrator = in_trouble().await;
    let address = serve(Router::new().merge(console(&orchestrator).at("/ops").router())).await;
    walk(&orchestrator, &format!("http://{address}/ops"), &format!("http://{address}/ops/")).await;
}

#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn console_stays_behind_a_proxy_that_strips_the_prefix() {
    let orchestrator = in_trouble().await;
    let front = Front::stripping("/a/ops", serve(console(&orchestrator).router()).await).await;
    walk(&orchestrator, &front.url(""), &front.url("/")).await;
}

#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn console_stays_behind_a_proxy_that_keeps_the_prefix() {
    let orchestrator = in_trouble().await;
    let front = Front::keeping("/ops", serve(console(&orchestrator).at("/ops").router()).await).await;
    walk(&orchestrator, &front.url("/"), &front.url("/")).await;
}
