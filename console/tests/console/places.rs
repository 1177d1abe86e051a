//! The console at the root, below a path, and behind proxies.

use axum::{Router, body::Body};
use graceful_console::{Console, access::Access};
use http::Request;

use crate::{site::Site, stored::orchestrator};

fn console() -> Console {
    Console::new(&orchestrator(), async |_| Access::read("ada"))
}

/// The value of `<base href>`.
fn base(page: &str) -> &str {
    page.split_once("<base href=\"").unwrap().1.split('"').next().unwrap()
}

#[test]
async fn console_is_at_the_root_or_below_a_path() {
    for (router, first, expected) in [
        (Router::new().merge(console().router()), &["/"][..], "/"),
        (Router::new().merge(console().at("/ops").router()), &["/ops", "/ops/"], "/ops/"),
        (Router::new().merge(console().at("/a/b/").router()), &["/a/b", "/a/b/"], "/a/b/"),
        (Router::new().nest("/a/b", console().router()), &["/a/b"], "/a/b/"),
        (Router::new().nest_service("/ops", console().router::<()>()), &["/ops", "/ops/"], "/ops/"),
        (Router::new().nest("/a", Router::new().nest("/b", console().router())), &["/a/b"], "/a/b/"),
        (Router::new().nest("/a", console().at("/b").router()), &["/a/b", "/a/b/"], "/a/b/"),
    ] {
        let site = Site::routed(router);
        for path in first {
            assert_eq!(base(&site.page(path).await), expected, "{path}");
        }
        let prefix = expected.trim_end_matches('/');
        let page = site.page(&format!("{prefix}/flows")).await;
        assert_eq!(base(&page), expected);
        // Every link of the page stays inside.
        for attribute in ["href=\"", "src=\"", "action=\""] {
            for rest in page.split(attribute).skip(1) {
                let link = rest.split('"').next().unwrap();
                assert!(!link.starts_with('/') || link == expected, "{link}");
                assert!(!link.contains("://") && !link.starts_with('#'), "{link}");
            }
        }
        let style = page.split_once("rel=\"stylesheet\" href=\"").unwrap().1.split('"').next().unwrap();
        let answer = site.get(&format!("{prefix}/{style}")).await.is(200);
        assert!(answer.headers["cache-control"].to_str().unwrap().contains("immutable"));
        site.get(&format!("{prefix}/health/live")).await.is(200);
        let unknown = site.get(&format!("{prefix}/api/v1/none")).await.is(404);
        assert_eq!(unknown.headers["content-type"], "application/problem+json");
    }
}

#[test]
async fn base_is_what_browsers_see_behind_a_proxy() {
    let ask = async |site: &Site, prefix: &str| {
        let request = Request::get("/ops/flows").header("x-forwarded-prefix", prefix);
        site.ask(request.body(Body::empty()).unwrap()).await.is(200).body
    };
    let site = Site::of(console().at("/ops"));
    assert_eq!(base(&ask(&site, "/admin").await), "/admin/ops/");
    assert_eq!(base(&ask(&site, "//evil.example").await), "/ops/");
    assert_eq!(base(&ask(&site, "https://evil.example").await), "/ops/");
    let site = Site::of(console().at("/ops").public_path("/console"));
    assert_eq!(base(&ask(&site, "/admin").await), "/console/");
}

#[test]
async fn redirects_stay_below_the_path() {
    let site = Site::routed(Router::new().nest("/a", console().at("/b").router()));
    let answer = site.get("/a/b/filter?page=flows&handler=pay&entity=&no_tenant=yes").await.is(303);
    assert_eq!(answer.location(), "/a/b/flows?handler=pay&tenant=");
    site.get("/a/b/filter?page=//evil.example").await.is(404);
}
