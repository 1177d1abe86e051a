//! Live texts, which destroy no input.

use std::time::{Duration, Instant};

use graceful::backends::FlowState;
use graceful_tests_browser::{Browser, By, Options, View};

use crate::{
    site::{evaluate, origin},
    stored::{bury, claim, dead, id, orchestrator, prepare_discard, queue},
};

/// Lets live texts change each second.
async fn hurry(browser: &Browser) {
    browser.click(By::Css("#live-control option[value='1']")).await;
}

/// Waits until the state of a flow is shown.
async fn until_state(browser: &Browser, number: u128, state: &str) {
    browser.until_text(&format!("[data-live='state-{}']", id(number)), state).await;
}

#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn live_texts_leave_ticks_fields_selections_and_the_scroll_position() {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..30).await;
    queue(&orchestrator, 50, "orders::parcel:50").await;
    let origin = origin(&orchestrator).await;
    let view = View { height: 500, ..View::WIDE };
    let browser = Browser::start(&Options { view, ..Options::default() }).await;
    browser.goto(format!("{origin}/flows")).await.unwrap();
    hurry(&browser).await;
    for ticked in browser.find_all(By::Css("tbody input[type=checkbox]")).await.unwrap().iter().take(3) {
        ticked.click().await.unwrap();
    }
    browser.click(By::Css("details.narrow summary")).await;
    browser.type_into(By::Css(".filter input[name=text]"), "half of a te").await;
    let select = "getSelection().selectAllChildren(document.querySelector('tbody tr:nth-child(5) td:last-child'));\
        scrollTo(0, 300)";
    browser.execute(select, []).await.unwrap();
    let now = async || {
        let script = "return [document.querySelectorAll('tbody input:checked').length, \
            document.querySelector('details.narrow').open, document.querySelector('[name=text]').value, \
            getSelection().toString(), scrollY, performance.timeOrigin]";
        evaluate::<serde_json::Value>(&browser, script).await
    };
    let before = now().await;
    assert_eq!(
        (&before[0], &before[1], &before[2], &before[4]),
        (&3.into(), &true.into(), &"half of a te".into(), &300.into())
    );
    assert!(before[3].as_str().unwrap().contains("refused"), "{before}");

    until_state(&browser, 50, "queued").await;
    let claims = claim(&orchestrator).await;
    until_state(&browser, 50, "running").await;
    bury(&orchestrator, claims, "no parcel service").await;
    until_state(&browser, 50, "dead").await;
    orchestrator.flows().unwrap().discard(id(50), FlowState::Dead).await.unwrap();
    until_state(&browser, 50, "discarded").await;
    assert_eq!(now().await, before);
    assert_eq!(browser.errors().await, [""; 0]);
}

#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn live_texts_leave_half_of_a_confirmation() {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..13).await;
    let operation = prepare_discard(&orchestrator).await;
    let origin = origin(&orchestrator).await;
    let browser = Browser::start(&Options::default()).await;
    browser.goto(format!("{origin}/operation?id={operation}")).await.unwrap();
    hurry(&browser).await;
    browser.type_into(By::Css("input[name=number]"), "1").await;
    orchestrator.flows().unwrap().resubmit(id(1)).await.unwrap();
    until_state(&browser, 1, "queued").await;
    let claims = claim(&orchestrator).await;
    until_state(&browser, 1, "running").await;
    bury(&orchestrator, claims, "again").await;
    until_state(&browser, 1, "dead").await;
    let field = browser.active_element().await.unwrap();
    field.send_keys("2").await.unwrap();
    let typed =
        "const field = document.activeElement; return [field.name, field.value, field.selectionStart]";
    assert_eq!(evaluate::<serde_json::Value>(&browser, typed).await, serde_json::json!(["number", "12", 2]));
}

/// Over HTTP/1.1 a browser has six connections to a host, and a live page takes one. The windows are all visible, so none is closed for being hidden.
#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn eighth_window_loads() {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..3).await;
    let origin = origin(&orchestrator).await;
    let browser = Browser::start(&Options::default()).await;
    for _ in 0..7 {
        browser.goto(format!("{origin}/flows")).await.unwrap();
        until_state(&browser, 1, "dead").await;
        let window = browser.new_window().await.unwrap();
        browser.switch_to_window(window).await.unwrap();
    }
    let start = Instant::now();
    browser.goto(format!("{origin}/flows")).await.unwrap();
    until_state(&browser, 1, "dead").await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}
