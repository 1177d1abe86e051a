//! What the browser reports about a page: requests, errors, and what axe-core finds.

use axum::{
    Router,
    response::{Html, IntoResponse, Redirect},
    routing::get,
};
use graceful_tests::http::{Server, serve};
use graceful_tests_browser::{Browser, By, Options, View};

const STRICT: &str = "default-src 'none'; img-src data:; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'";

/// A page with this body and this content security policy.
async fn page(body: String, policy: &'static str) -> Server {
    let html = format!(
        "<!doctype html><html lang='en'><head><title>Page</title><link rel='icon' href='data:,'></head>\
         <body><main><h1>Page</h1>{body}</main></body></html>"
    );
    let page = move || async move { ([("content-security-policy", policy)], Html(html)) };
    serve(Router::new().route("/", get(page))).await
}

async fn open(server: &Server) -> Browser {
    let browser = Browser::start(&Options { view: View::NARROW, ..Options::default() }).await;
    browser.goto(origin(server) + "/").await.unwrap();
    browser
}

fn origin(server: &Server) -> String {
    format!("http://{}", server.address)
}

#[test(requires("chromium", "chromedriver", Axe))]
async fn axe_finds_violations_despite_a_strict_policy() {
    let page = page("<input><img src='data:,'><p>Text</p>".to_owned(), STRICT).await;
    let violations = open(&page).await.axe().await;
    assert_eq!(violations.len(), 2, "{violations:#?}");
    assert!(
        violations[0]
            .starts_with("image-alt (critical): Images must have alternative text: <img src=\"data:,\">: ")
    );
    assert!(
        violations[1].starts_with("label (critical): Form elements must have labels: <input>: Fix any"),
        "{violations:#?}"
    );
}

#[test(requires("chromium", "chromedriver", Axe))]
async fn axe_sees_the_colours_of_the_view() {
    let style =
        "<style>p { color: #777 } @media (prefers-color-scheme: dark) { body { background: #555 } }</style>";
    let page = page(format!("{style}<p>Text</p>"), "").await;
    let browser = open(&page).await;
    browser.show_on(View { scheme: graceful_tests_browser::Scheme::Dark, ..View::NARROW }).await;
    let violations = browser.axe().await;
    assert!(violations.iter().any(|violation| violation.contains("color-contrast")), "{violations:#?}");
}

#[test(requires("chromium", "chromedriver", Axe))]
async fn good_page_has_no_violation_no_error_and_no_foreign_request() {
    let page = page("<p>Text</p>".to_owned(), STRICT).await;
    let browser = open(&page).await;
    assert_eq!(browser.axe().await, [""; 0]);
    assert_eq!(browser.errors().await, [""; 0]);
    assert_eq!(browser.requests().await, [origin(&page) + "/"]);
    assert_eq!(browser.requests_outside(&origin(&page)).await, [""; 0]);
}

#[test(requires("chromium", "chromedriver"))]
async fn requests_to_other_origins_are_seen() {
    let other = serve(Router::new().fallback(|| async { "body {}" })).await;
    let (elsewhere, port) = (origin(&other), other.address.port());
    let page = page(
        format!(
            "<link rel='stylesheet' href='{elsewhere}/style.css'><img alt='' src='http://cdn.example/logo.png'>\
             <script>new WebSocket('ws://127.0.0.1:{port}/socket'); fetch('{elsewhere}/data').catch(() => 0)
                 .then(() => document.title = 'fetched')</script>"
        ),
        "",
    )
    .await;
    let browser = open(&page).await;
    browser.until_title("fetched").await;
    let mut outside = browser.requests_outside(&origin(&page)).await;
    outside.sort_unstable();
    let expected = [
        "http://cdn.example/logo.png".to_owned(),
        format!("{elsewhere}/data"),
        format!("{elsewhere}/style.css"),
        format!("ws://127.0.0.1:{port}/socket"),
    ];
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(outside, expected);
    assert!(browser.requests().await.len() > outside.len(), "the page itself");
}

#[test(requires("chromium", "chromedriver"))]
async fn redirect_to_another_origin_is_seen_also_of_a_clicked_link_and_in_another_tab() {
    let other = serve(
        Router::new().fallback(|| async { Html("<title>Other</title><link rel='icon' href='data:,'>") }),
    )
    .await;
    let target = origin(&other) + "/target";
    let leave = {
        let target = target.clone();
        move || async move { Redirect::to(&target).into_response() }
    };
    let index = get(|| async { Html("<link rel='icon' href='data:,'><a href='/leave'>leave</a>") });
    let server = serve(Router::new().route("/", index).route("/leave", get(leave))).await;
    let browser = open(&server).await;
    browser.click(By::LinkText("leave")).await;
    browser.until_title("Other").await;
    assert_eq!(browser.requests_outside(&origin(&server)).await, std::slice::from_ref(&target));
    browser.open_tab().await;
    browser.goto(origin(&server) + "/leave").await.unwrap();
    assert_eq!(browser.requests_outside(&origin(&server)).await, [&*target, &*target]);
}

#[test(requires("chromium", "chromedriver"))]
async fn violations_of_the_policy_are_errors() {
    let page =
        page("<p style='color: red'>Text</p><script>document.title = 'ran'</script>".to_owned(), STRICT)
            .await;
    let browser = open(&page).await;
    let errors = browser.errors().await;
    assert_eq!(errors.len(), 2, "{errors:#?}");
    for directive in ["script-src", "style-src"] {
        let is_reported = |error: &String| {
            error.starts_with("security: ")
                && error.contains(directive)
                && error.contains("Content Security Policy")
        };
        assert!(errors.iter().any(is_reported), "{directive}: {errors:#?}");
    }
    assert_eq!(browser.title().await.unwrap(), "Page");
}

#[test(requires("chromium", "chromedriver"))]
async fn exceptions_failed_requests_and_console_errors_are_errors_but_no_other_lines() {
    let script = "<script>console.log('a note'); console.error('a complaint');</script>\
        <script>undefined_function()</script><img alt='' src='/missing.png'>";
    let server = page(script.to_owned(), "").await;
    let browser = open(&server).await;
    let errors = browser.errors().await;
    for (source, text) in [
        ("console-api", "a complaint"),
        ("javascript", "undefined_function is not defined"),
        ("network", "/missing.png"),
    ] {
        let is_reported = |error: &String| error.starts_with(source) && error.contains(text);
        assert_eq!(errors.iter().filter(|error| is_reported(error)).count(), 1, "{source}: {errors:#?}");
    }
    assert_eq!(errors.len(), 3, "{errors:#?}");
    assert!(
        browser.console().await.iter().any(|entry| entry.level == "INFO" && entry.message.contains("a note"))
    );
    assert_eq!(browser.errors().await.len(), 3, "what was read stays");
}
