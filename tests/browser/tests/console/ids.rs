//! Names that a path would change.

use graceful_tests_browser::{Browser, By, Front, Options};

use crate::{
    site::{console, serve, until_contains},
    stored::{NAMES, orchestrator, queue, update},
};

#[test(requires("chromium", "chromedriver"), flavor = "multi_thread")]
async fn entities_are_found_behind_a_proxy_that_decodes_paths() {
    let orchestrator = orchestrator();
    let (long, wide) = ("k".repeat(1024), "é".repeat(512));
    let ids: Vec<_> = NAMES.into_iter().chain([&*long, &*wide]).collect();
    let mut names = Vec::new();
    for (number, id) in (1..).zip(&ids) {
        let name = orchestrator.key("user", id).to_string();
        queue(&orchestrator, number, &name).await;
        update(&orchestrator, id, None).await;
        names.push(name);
    }
    let front = Front::decoding(serve(console(&orchestrator).router()).await).await;
    let browser = Browser::start(&Options::default()).await;
    for name in &names {
        browser.goto(front.url("/flows")).await.unwrap();
        let links = browser.find_all(By::Css("td[data-column=Entity] a")).await.unwrap();
        let mut clicked = false;
        for link in links {
            if link.text().await.unwrap() == *name {
                link.click().await.unwrap();
                clicked = true;
                break;
            }
        }
        assert!(clicked, "{name} is not in the list");
        browser.until_text("h1", "Entity").await;
        let shown = browser.text(By::Css("main p .id")).await;
        match name.char_indices().nth(300) {
            Some((end, _)) => assert_eq!(shown, format!("{}…", &name[..end])),
            None => assert_eq!(shown, *name),
        }
        // What the stores know of this entity, and no other, is found.
        until_contains(&browser, "bytes; the value is hidden").await;
        browser.click(By::Css("main p a")).await;
        browser.until_text("h1", "Flows").await;
        assert_eq!(browser.text(By::Css("td[data-column=Entity] a")).await, *name);
        let found = browser.find_all(By::Css("td[data-column=Entity] a")).await.unwrap();
        assert_eq!(found.len(), 1, "{name}");
    }
    assert_eq!(browser.errors().await, [""; 0]);
}
