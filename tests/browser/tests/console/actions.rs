//! Every action, by clicking and typing only.

use graceful::backends::FlowState;
use graceful_tests_browser::{Browser, By, Options};

use crate::{
    site::{console, evaluate, go, press, serve, until_contains},
    stored::{SHIP, chained, dead, id, pay, state, update},
};

async fn act(options: Options, host: &str) {
    let folder = tempfile::tempdir().unwrap();
    let orchestrator = chained(folder.path()).await;
    dead(&orchestrator, 1..5).await;
    update(&orchestrator, "43", None).await;
    update(&orchestrator, "42", Some("disk full")).await;
    let paid = pay(&orchestrator).await;
    let port = serve(console(&orchestrator).router()).await.port();
    let base = format!("http://{host}:{port}/");
    let browser = Browser::start(&options).await;
    let open = async |path: &str| browser.goto(format!("{base}{path}")).await.unwrap();

    open("flows").await;
    browser.click(By::Css("details.narrow summary")).await;
    browser.type_into(By::Css(".filter input[name=entity]"), "orders::parcel:3 ").await;
    browser.click(By::Css(".filter button")).await;
    until_contains(&browser, "Clear").await;
    let url = browser.current_url().await.unwrap();
    assert_eq!(url.as_str(), format!("{base}flows?entity=orders%3A%3Aparcel%3A3"));
    assert_eq!(browser.find_all(By::Css("tbody tr")).await.unwrap().len(), 1);

    open(&format!("flow?id={}", id(1))).await;
    go(&browser, "form[action='act/resubmit'] button", "Operation").await;
    assert_eq!(state(&orchestrator, 1).await, FlowState::Dead, "it is only prepared");
    press(&browser, "form[action='act/run-resubmit'] button", "resubmitted 1 of 1").await;
    assert_eq!(state(&orchestrator, 1).await, FlowState::Queued);

    open(&format!("flow?id={}", id(2))).await;
    go(&browser, "form[action='act/discard'] button", "Operation").await;
    browser.type_into(By::Css("input[name=number]"), "1").await;
    press(&browser, "form[action='act/run-discard'] button", "discarded 1 of 1").await;
    assert_eq!(state(&orchestrator, 2).await, FlowState::Discarded);

    // Ticked flows of the list.
    open("flows?state=dead").await;
    for ticked in browser.find_all(By::Css("tbody input[type=checkbox]")).await.unwrap() {
        ticked.click().await.unwrap();
    }
    go(&browser, "button[formaction='act/discard']", "Operation").await;
    browser.type_into(By::Css("input[name=number]"), "2").await;
    press(&browser, "form[action='act/run-discard'] button", "discarded 2 of 2").await;

    open("operations").await;
    browser.type_into(By::Css("form[action='act/pause'] input[name=name]"), SHIP).await;
    browser.type_into(By::Css("form[action='act/pause'] input[name=reason]"), "the carrier moves").await;
    press(&browser, "form[action='act/pause'] button", "Paused: handler orders::ship").await;
    until_contains(&browser, "the carrier moves").await;
    press(&browser, "form[action='act/resume'] button", "Resumed: handler orders::ship").await;

    open("jobs").await;
    press(
        &browser,
        "form[action='act/complete-job'] button",
        "The review job of orders::user:42 is completed.",
    )
    .await;
    until_contains(&browser, "Nothing to show: open review jobs").await;

    open("alerts").await;
    press(&browser, "form[action='act/resolve-alert'] button", "The alert of orders::user:42 is resolved.")
        .await;

    open("entity?entity=orders::user:43").await;
    press(&browser, "form[action='act/drop-cache'] button", "cached value of orders::user:43 is dropped.")
        .await;
    until_contains(&browser, "No value is cached.").await;

    open("audit").await;
    press(&browser, "form[action='act/verify-chain'] button", "The audit chain is intact").await;

    open(&format!("flow?id={paid}")).await;
    assert!(!browser.source().await.unwrap().contains("visa 4711"));
    press(&browser, "form[action='act/reveal'] button", "visa 4711").await;

    // Without TLS, another host than this machine is not trusted with this header.
    let errors = browser.errors().await.into_iter();
    let errors: Vec<_> = errors
        .filter(|error| !error.contains("Cross-Origin-Opener-Policy header has been ignored"))
        .collect();
    assert_eq!(errors, [""; 0]);
    assert_eq!(browser.requests_outside(base.trim_end_matches('/')).await, [""; 0]);
    let is_scripted = !browser.find_all(By::Css("html[data-scripted]")).await.unwrap().is_empty();
    assert_eq!(is_scripted, options.javascript);
}

#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn every_action_works_without_javascript() {
    act(Options { javascript: false, ..Options::default() }, "127.0.0.1").await;
}

/// Where a page is not loaded from this machine or by TLS, a browser sends no `Sec-Fetch-Site`.
#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn every_action_works_without_javascript_on_another_host() {
    let options = Options { javascript: false, hosts: vec!["console.example"], ..Options::default() };
    act(options, "console.example").await;
}

#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn every_action_works_with_javascript() {
    act(Options::default(), "127.0.0.1").await;
}

#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn form_of_another_site_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let orchestrator = chained(folder.path()).await;
    dead(&orchestrator, 1..2).await;
    let port = serve(console(&orchestrator).router()).await.port();
    let options = Options { hosts: vec!["console.example", "evil.example"], ..Options::default() };
    let browser = Browser::start(&options).await;
    browser.goto(format!("http://console.example:{port}/flow?id={}", id(1))).await.unwrap();
    let token: String = evaluate(&browser, "return document.querySelector('[name=token]').value").await;
    let evil = format!(
        "<!doctype html><title>Evil</title><link rel='icon' href='data:,'>\
         <form method='post' action='http://console.example:{port}/act/resubmit'>\
         <input name='token' value='{token}'><input name='all' value='yes'><button>win</button></form>"
    );
    let page = axum::routing::get(|| async { axum::response::Html(evil) });
    let evil = serve(axum::Router::new().route("/", page)).await.port();
    browser.goto(format!("http://evil.example:{evil}/")).await.unwrap();
    go(&browser, "button", "Forbidden").await;
}
