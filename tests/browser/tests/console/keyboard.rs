//! Shortcuts, themes, and times.

use graceful_tests_browser::{Browser, By, Options};

use crate::{
    site::{evaluate, find, origin, type_into},
    stored::{dead, id, orchestrator},
};

#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn keys_lead_to_pages_the_search_and_the_help() {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..3).await;
    let origin = origin(&orchestrator).await;
    let browser = Browser::start(&Options::default()).await;
    browser.goto(format!("{origin}/")).await.unwrap();
    type_into(&browser, "body", "f").await;
    browser.until_text("h1", "Flows").await;

    type_into(&browser, "body", "/").await;
    let focused = "return [document.activeElement.name, document.activeElement.value]";
    let focused: [String; 2] = evaluate(&browser, focused).await;
    assert_eq!(focused, ["handler", ""]);
    assert!(evaluate::<bool>(&browser, "return document.querySelector('details.narrow').open").await);
    // In a field, a key is a letter.
    let field = browser.active_element().await.unwrap();
    field.send_keys("fat?").await.unwrap();
    assert_eq!(field.prop("value").await.unwrap().unwrap(), "fat?");
    assert_eq!(find(&browser, "h1").await.text().await.unwrap(), "Flows");

    browser.goto(format!("{origin}/flows")).await.unwrap();
    type_into(&browser, "body", "?").await;
    let help = find(&browser, "dialog[open]").await.text().await.unwrap();
    assert!(help.contains("Shortcuts") && help.contains("Failures"), "{help}");
    find(&browser, "dialog button").await.click().await.unwrap();
    // The event of the closed dialog comes later than the click ends.
    graceful_tests::gate::until(async || browser.find_all(By::Css("dialog")).await.unwrap().is_empty()).await;
    type_into(&browser, "body", "h").await;
    browser.until_text("h1", "Handlers").await;
    assert_eq!(browser.errors().await, [""; 0]);
}

#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn chosen_theme_survives_a_reload() {
    let origin = origin(&orchestrator()).await;
    let browser = Browser::start(&Options::default()).await;
    browser.goto(format!("{origin}/")).await.unwrap();
    let back =
        async || evaluate::<String>(&browser, "return getComputedStyle(document.body).backgroundColor").await;
    let system = back().await;
    type_into(&browser, "body", "t").await;
    assert_eq!(back().await, system, "light");
    type_into(&browser, "body", "t").await;
    let dark = back().await;
    assert_ne!(dark, system);
    browser.refresh().await.unwrap();
    assert_eq!(back().await, dark);
    assert_eq!(find(&browser, "#theme").await.text().await.unwrap(), "Theme: dark");
}

#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn clicked_time_finds_its_flow_in_another_time_zone() {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..2).await;
    let origin = origin(&orchestrator).await;
    let browser = Browser::start(&Options { time_zone: "Asia/Tokyo", ..Options::default() }).await;
    browser.goto(format!("{origin}/flows")).await.unwrap();
    find(&browser, "td[data-column=Stored] a").await.click().await.unwrap();
    let filtered =
        async || browser.current_url().await.unwrap().query().is_some_and(|query| query.contains("since="));
    graceful_tests::gate::until(filtered).await;
    find(&browser, &format!("a[title='{}']", id(1))).await;
    // The fields of the form show what the list is filtered by, and send the same again.
    find(&browser, ".filter button").await.click().await.unwrap();
    graceful_tests::gate::until(async || browser.current_url().await.unwrap().path() == "/flows").await;
    find(&browser, &format!("a[title='{}']", id(1))).await;
}
