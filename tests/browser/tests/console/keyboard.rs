//! Shortcuts, themes, and times.

use graceful_tests_browser::{Browser, By, Options};

use crate::{
    site::{evaluate, origin},
    stored::{dead, id, orchestrator},
};

#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn keys_lead_to_pages_the_search_and_the_help() {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..3).await;
    let origin = origin(&orchestrator).await;
    let browser = Browser::start(&Options::default()).await;
    browser.goto(format!("{origin}/")).await.unwrap();
    browser.type_into(By::Css("body"), "f").await;
    browser.until_text("h1", "Flows").await;

    browser.type_into(By::Css("body"), "/").await;
    let focused = "return [document.activeElement.name, document.activeElement.value]";
    let focused: [String; 2] = evaluate(&browser, focused).await;
    assert_eq!(focused, ["handler", ""]);
    assert!(evaluate::<bool>(&browser, "return document.querySelector('details.narrow').open").await);
    // In a field, a key is a letter.
    let field = browser.active_element().await.unwrap();
    field.send_keys("fat?").await.unwrap();
    assert_eq!(field.prop("value").await.unwrap().unwrap(), "fat?");
    assert_eq!(browser.text(By::Css("h1")).await, "Flows");

    browser.goto(format!("{origin}/flows")).await.unwrap();
    browser.type_into(By::Css("body"), "?").await;
    let help = browser.text(By::Css("dialog[open]")).await;
    assert!(help.contains("Shortcuts") && help.contains("Failures"), "{help}");
    browser.click(By::Css("dialog button")).await;
    // The event of the closed dialog comes later than the click ends.
    graceful_tests::gate::until(async || browser.find_all(By::Css("dialog")).await.unwrap().is_empty()).await;
    browser.type_into(By::Css("body"), "h").await;
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
    browser.type_into(By::Css("body"), "t").await;
    assert_eq!(back().await, system, "light");
    browser.type_into(By::Css("body"), "t").await;
    let dark = back().await;
    assert_ne!(dark, system);
    browser.refresh().await.unwrap();
    assert_eq!(back().await, dark);
    assert_eq!(browser.text(By::Css("#theme")).await, "Theme: dark");
}

#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn clicked_time_finds_its_flow_in_another_time_zone() {
    let orchestrator = orchestrator();
    dead(&orchestrator, 1..2).await;
    let origin = origin(&orchestrator).await;
    let browser = Browser::start(&Options { time_zone: "Asia/Tokyo", ..Options::default() }).await;
    browser.goto(format!("{origin}/flows")).await.unwrap();
    browser.click(By::Css("td[data-column=Stored] a")).await;
    let filtered =
        async || browser.current_url().await.unwrap().query().is_some_and(|query| query.contains("since="));
    graceful_tests::gate::until(filtered).await;
    browser.with(By::Css(format!("a[title='{}']", id(1))), async |_| Ok(())).await;
    // The fields of the form show what the list is filtered by, and send the same again.
    browser.click(By::Css(".filter button")).await;
    graceful_tests::gate::until(async || browser.current_url().await.unwrap().path() == "/flows").await;
    browser.with(By::Css(format!("a[title='{}']", id(1))), async |_| Ok(())).await;
}
