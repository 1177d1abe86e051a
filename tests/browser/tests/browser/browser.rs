//! The options of the browser.

use std::{fs, panic::AssertUnwindSafe, path::Path};

use axum::{Router, response::Html, routing::get};
use graceful_tests::{
    gate::until,
    http::{Server, serve},
    killed,
};
use graceful_tests_browser::{Browser, By, Options, View};

const PAGE: &str = r#"<!doctype html>
<html lang="en"><head><title>Page</title><style>
    :root { color-scheme: light dark; }
    #wide, #dark, #still { display: none; }
    @media (min-width: 361px) { #wide { display: block; } }
    @media (prefers-color-scheme: dark) { #dark { display: block; } }
    @media (prefers-reduced-motion: reduce) { #still { display: block; } }
    code { font-family: monospace; }
    main { min-height: 2000px; }
</style></head><body><main>
    <h1>Flows of “user/42”</h1>
    <p>Text in <code>monospace 0O1lI</code>, ÄÖÜ ñ € → ✓ ×</p>
    <p id="wide">wide</p><p id="dark">dark</p><p id="still">still</p>
    <p id="scripted">no script</p><p id="zone"></p>
    <noscript><p id="noscript">without scripts</p></noscript>
    <a href="/next">next</a>
    <form method="post" action="/next"><label>Name <input name="name"></label><button>send</button></form>
</main><script>
    document.getElementById('scripted').textContent = 'script ran';
    document.getElementById('zone').textContent = new Date(0).toString();
</script></body></html>"#;

async fn page() -> Server {
    let next = || async {
        Html(
            "<!doctype html><title>Next</title><p id='scripted'>no script</p>\
        <script>document.getElementById('scripted').textContent = 'script ran';</script>",
        )
    };
    serve(Router::new().route("/", get(|| async { Html(PAGE) })).route("/next", get(next).post(next))).await
}

async fn open(browser: &Browser, server: &Server) {
    browser.goto(format!("http://{}/", server.address)).await.unwrap();
}

async fn is_shown(browser: &Browser, id: &str) -> bool {
    browser.with(By::Id(id), async |element| element.is_displayed().await).await
}

async fn text(browser: &Browser, id: &str) -> String {
    browser.text(By::Id(id)).await
}

#[test(requires("chromium", "chromedriver"))]
async fn viewport_has_the_width_of_the_view() {
    let server = page().await;
    let browser = Browser::start(&Options { view: View::NARROW, ..Options::default() }).await;
    open(&browser, &server).await;
    let size = "return [innerWidth, innerHeight, document.documentElement.clientWidth, devicePixelRatio]";
    let size = async || browser.execute(size, []).await.unwrap().convert::<[u32; 4]>().unwrap();
    assert_eq!(size().await, [360, 800, 360, 1]);
    assert!(!is_shown(&browser, "wide").await);
    browser.show_on(View { width: 361, ..View::NARROW }).await;
    assert!(is_shown(&browser, "wide").await);
    browser.show_on(View::WIDE).await;
    assert_eq!(size().await, [1440, 900, 1440, 1]);
}

#[test(requires("chromium", "chromedriver"))]
async fn page_sees_the_preferences_of_the_view() {
    let server = page().await;
    let browser = Browser::start(&Options { view: View::WIDE.dark(), ..Options::default() }).await;
    open(&browser, &server).await;
    assert!(is_shown(&browser, "dark").await && !is_shown(&browser, "still").await);
    browser.show_on(View { reduces_motion: true, ..View::WIDE }).await;
    assert!(!is_shown(&browser, "dark").await && is_shown(&browser, "still").await);
}

#[test(requires("chromium", "chromedriver"))]
async fn dates_are_in_the_time_zone_of_the_options() {
    let server = page().await;
    for (time_zone, expected) in [("UTC", "GMT+0000"), ("Asia/Kolkata", "GMT+0530")] {
        let browser = Browser::start(&Options { time_zone, ..Options::default() }).await;
        open(&browser, &server).await;
        let shown = text(&browser, "zone").await;
        assert!(shown.contains(expected), "{shown}");
    }
}

#[test(requires("chromium", "chromedriver"))]
async fn scripts_run_unless_javascript_is_off() {
    let server = page().await;
    let browser = Browser::start(&Options::default()).await;
    open(&browser, &server).await;
    assert_eq!(text(&browser, "scripted").await, "script ran");
    assert!(browser.find_all(By::Id("noscript")).await.unwrap().is_empty());
}

#[test(requires("chromium", "chromedriver"))]
async fn without_javascript_links_and_forms_work_but_no_script_runs() {
    let server = page().await;
    let browser = Browser::start(&Options { javascript: false, ..Options::default() }).await;
    open(&browser, &server).await;
    assert_eq!(text(&browser, "scripted").await, "no script");
    assert!(is_shown(&browser, "noscript").await);
    browser.click(By::LinkText("next")).await;
    browser.until_title("Next").await;
    assert_eq!(text(&browser, "scripted").await, "no script");
    browser.back().await.unwrap();
    browser.until_title("Page").await;
    browser.type_into(By::Name("name"), "Ada").await;
    browser.click(By::Css("form button")).await;
    browser.until_title("Next").await;
    browser.screenshot("harness-without-javascript").await;
}

#[test(requires("chromium", "chromedriver"))]
async fn opened_tab_has_the_options_of_the_browser() {
    let server = page().await;
    let options = Options { view: View::NARROW.dark(), time_zone: "Asia/Kolkata", ..Options::default() };
    let browser = Browser::start(&options).await;
    browser.open_tab().await;
    assert_eq!(browser.windows().await.unwrap().len(), 2);
    open(&browser, &server).await;
    assert!(is_shown(&browser, "dark").await && !is_shown(&browser, "wide").await);
    assert!(text(&browser, "zone").await.contains("GMT+0530"));
}

/// The header of a PNG has its size.
fn size_of(png: &Path) -> (u32, u32) {
    let bytes = fs::read(png).unwrap();
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[test(requires("chromium", "chromedriver"))]
async fn screenshot_has_the_whole_page_in_each_view() {
    let server = page().await;
    let browser = Browser::start(&Options::default()).await;
    open(&browser, &server).await;
    let mut files = Vec::new();
    for view in View::ALL {
        browser.show_on(view).await;
        let file = browser.screenshot(&format!("harness-{}", view.name())).await;
        let (width, height) = size_of(&file);
        assert!(width == view.width && height > 2000, "{width}x{height}");
        files.push(fs::read(file).unwrap());
    }
    assert!(files[0] != files[1] && files[2] != files[3], "light and dark look the same");
}

#[test(requires("chromium", "chromedriver"))]
async fn only_loopback_and_the_hosts_of_the_options_can_be_reached() {
    let server = page().await;
    let browser = Browser::start(&Options { hosts: vec!["console.example"], ..Options::default() }).await;
    let port = server.address.port();
    for host in ["console.example", "127.0.0.1"] {
        browser.goto(format!("http://{host}:{port}/")).await.unwrap();
        assert_eq!(browser.title().await.unwrap(), "Page", "{host}");
    }
    for host in ["other.example", "127.0.0.2"] {
        let error = browser.goto(format!("http://{host}:{port}/")).await.unwrap_err().to_string();
        assert!(error.contains("ERR_NAME_NOT_RESOLVED"), "{host}: {error}");
    }
}

#[test(requires("chromium", "chromedriver"))]
async fn text_that_appears_later_is_awaited() {
    let server = page().await;
    let browser = Browser::start(&Options::default()).await;
    open(&browser, &server).await;
    let later = "setTimeout(() => document.getElementById('scripted').textContent = 'later', 200)";
    browser.execute(later, []).await.unwrap();
    browser.until_text("#scripted", "later").await;
    assert_eq!(text(&browser, "scripted").await, "later");
}

/// The processes of a group that have not ended.
fn processes(group: u32) -> usize {
    let stats = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("stat")).ok());
    // After the name, which may contain anything, come the state, the parent and the group.
    let runs = |stat: &String| {
        let mut fields = stat.rsplit(") ").next().unwrap().split(' ');
        fields.next() != Some("Z") && fields.nth(1) == Some(group.to_string().as_str())
    };
    stats.filter(runs).count()
}

/// The processes that work in a directory: their command lines name it.
fn working_in(directory: &Path) -> usize {
    let lines =
        fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(directory.to_str().unwrap())).count()
}

#[test(requires("chromium", "chromedriver"))]
async fn panicking_test_leaves_no_process_and_no_file() {
    let server = page().await;
    let browser = Browser::start(&Options::default()).await;
    open(&browser, &server).await;
    let (group, directory) = (browser.process_group(), browser.directory().to_owned());
    assert!(processes(group) > 2 && working_in(&directory) > 1);
    let panicked = std::panic::catch_unwind(AssertUnwindSafe(move || {
        let _browser = browser;
        panic!("as a failed test does");
    }));
    assert!(panicked.is_err());
    until(|| async { processes(group) == 0 && working_in(&directory) == 0 }).await;
    assert!(!directory.exists());
}

#[test(requires("chromium", "chromedriver"))]
async fn killed_test_leaves_no_process() {
    if let Some(directory) = killed::works_in() {
        let browser = Browser::start(&Options::default()).await;
        fs::write(directory.join("group"), browser.process_group().to_string()).unwrap();
        fs::write(directory.join("files"), browser.directory().to_str().unwrap()).unwrap();
        killed::done().await;
    }
    let directory = tempfile::tempdir().unwrap();
    killed::after("browser::killed_test_leaves_no_process", directory.path());
    let group = fs::read_to_string(directory.path().join("group")).unwrap().parse().unwrap();
    until(|| async { processes(group) == 0 }).await;
    fs::remove_dir_all(fs::read_to_string(directory.path().join("files")).unwrap()).unwrap();
}
