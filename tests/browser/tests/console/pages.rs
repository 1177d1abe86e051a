//! Every page in every view.

use graceful::{Orchestrator, backends::PauseTarget, operations};
use graceful_tests_browser::{Browser, Options, View};

use crate::{
    site::{evaluate, origin},
    stored::{SHIP, chained, dead, id, kill, pay, prepare_discard, queue, update},
};

/// A service in trouble.
async fn troubled(folder: &std::path::Path) -> (Orchestrator, String, String) {
    let orchestrator = chained(folder).await;
    dead(&orchestrator, 1..13).await;
    queue(&orchestrator, 13, "orders:acme:parcel:13").await;
    queue(&orchestrator, 14, &format!("orders::parcel:{}", "long".repeat(60))).await;
    kill(&orchestrator, &"message of 1048577 bytes is larger than 1048576 ".repeat(20)).await;
    queue(&orchestrator, 15, "orders::parcel:15").await;
    for id in ["42", "43", "a/b"] {
        update(&orchestrator, id, None).await;
        update(&orchestrator, id, Some("disk full: no space left on /var/lib/orders")).await;
    }
    update(&orchestrator, "43", None).await;
    let paid = pay(&orchestrator).await.to_string();
    let operation = prepare_discard(&orchestrator).await.to_string();
    let target = PauseTarget::Handler(SHIP.to_owned());
    operations::pause(&orchestrator, target, "ada", "the carrier moves").await.unwrap();
    (orchestrator, paid, operation)
}

async fn check(view: View) {
    let folder = tempfile::tempdir().unwrap();
    let (orchestrator, paid, operation) = troubled(folder.path()).await;
    let origin = origin(&orchestrator).await;
    let browser = Browser::start(&Options { view, ..Options::default() }).await;
    let pages = [
        ("overview", String::new(), 200),
        ("flows", "flows".to_owned(), 200),
        ("flows-filtered", "flows?state=dead&handler=orders::ship".to_owned(), 200),
        ("flow", format!("flow?id={}", id(1)), 200),
        ("flow-paid", format!("flow?id={paid}"), 200),
        ("groups", "groups".to_owned(), 200),
        ("operations", "operations".to_owned(), 200),
        ("operation", format!("operation?id={operation}"), 200),
        ("handlers", "handlers".to_owned(), 200),
        ("handler", "handlers?handler=console_pages::stored::update_user".to_owned(), 200),
        ("jobs", "jobs".to_owned(), 200),
        ("alerts", "alerts".to_owned(), 200),
        ("audit", "audit".to_owned(), 200),
        ("entity", "entity".to_owned(), 200),
        ("entity-user", "entity?entity=orders::user:42".to_owned(), 200),
        ("entity-cached", "entity?entity=orders::user:43".to_owned(), 200),
        ("graph", "graph".to_owned(), 200),
        ("graph-user", "graph?entity=orders::user:42".to_owned(), 200),
        ("settings", "settings".to_owned(), 200),
        ("error", "flow?id=none".to_owned(), 400),
    ];
    let (mut problems, mut errors) = (Vec::new(), 0);
    for (name, path, status) in pages {
        browser.goto(format!("{origin}/{path}")).await.unwrap();
        let shown: u16 =
            evaluate(&browser, "return performance.getEntriesByType('navigation')[0].responseStatus").await;
        if shown != status {
            problems.push(format!("{name}: status {shown}"));
        }
        problems.extend(browser.axe().await.into_iter().map(|violation| format!("{name}: {violation}")));
        let width: u32 = evaluate(&browser, "return document.documentElement.scrollWidth").await;
        if width > view.width {
            let wide = "return [...document.querySelectorAll('main *, header *, footer *')].filter(element => \
                element.getBoundingClientRect().right > innerWidth && !element.closest('.scroll'))\
                .map(element => element.outerHTML.slice(0, 120)).slice(0, 5)";
            let wide: Vec<String> = evaluate(&browser, wide).await;
            problems.push(format!("{name}: {width} pixels wide, because of {wide:#?}"));
        }
        let all = browser.errors().await;
        // A page that answers with an error is reported, as it should be.
        let new = all[errors..].iter().filter(|error| status == 200 || !error.contains("400 (Bad Request)"));
        problems.extend(new.map(|error| format!("{name}: {error}")));
        errors = all.len();
        browser.screenshot(&format!("console-{name}-{}", view.name())).await;
    }
    problems.extend(browser.requests_outside(&origin).await);
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test(requires("chromium", "chromedriver", Axe), flavor = "multi_thread")]
async fn pages_are_good_on_a_telephone() {
    check(View::NARROW).await;
}

#[test(requires("chromium", "chromedriver", Axe), flavor = "multi_thread")]
async fn pages_are_good_on_a_telephone_in_the_dark() {
    check(View::NARROW.dark()).await;
}

#[test(requires("chromium", "chromedriver", Axe), flavor = "multi_thread")]
async fn pages_are_good_on_a_desk() {
    check(View::WIDE).await;
}

#[test(requires("chromium", "chromedriver", Axe), flavor = "multi_thread")]
async fn pages_are_good_on_a_desk_in_the_dark() {
    check(View::WIDE.dark()).await;
}
