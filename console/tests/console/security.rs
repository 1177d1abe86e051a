//! Whoever asks sees and does what the access says, and no page of another site can act.

use axum::body::Body;
use graceful_console::{
    Console,
    access::{Access, Permission, basic, loopback},
};
use http::{Request, header};

use crate::{
    site::{Site, token},
    stored::{SHIP, kill, orchestrator, queue},
};

const ENTITY: &str = "shop::order:1";

type Fields = &'static [(&'static str, &'static str)];

/// Each action with its permission, and fields that it understands.
const ACTIONS: &[(&str, Permission, Fields)] = &[
    ("resubmit", Permission::Flows, &[("state", "dead")]),
    ("postpone", Permission::Flows, &[("state", "queued"), ("minutes", "5")]),
    ("discard", Permission::Discard, &[("state", "dead")]),
    ("run-resubmit", Permission::Flows, &[("id", "00000000-0000-0000-0000-000000000000"), ("number", "0")]),
    ("run-postpone", Permission::Flows, &[("id", "00000000-0000-0000-0000-000000000000"), ("number", "0")]),
    ("run-discard", Permission::Discard, &[("id", "00000000-0000-0000-0000-000000000000"), ("number", "0")]),
    ("cancel-resubmit", Permission::Flows, &[("id", "00000000-0000-0000-0000-000000000000")]),
    ("cancel-postpone", Permission::Flows, &[("id", "00000000-0000-0000-0000-000000000000")]),
    ("pause", Permission::Pause, &[("kind", "relays"), ("reason", "a test")]),
    ("resume", Permission::Pause, &[("kind", "relays")]),
    ("complete-job", Permission::Jobs, &[]),
    ("postpone-job", Permission::Jobs, &[("minutes", "5")]),
    ("resolve-alert", Permission::Alerts, &[]),
    ("drop-cache", Permission::Cache, &[]),
    ("verify-chain", Permission::Verify, &[]),
    ("reveal", Permission::Reveal, &[("id", "00000000-0000-0000-0000-000000000000")]),
    ("sparql", Permission::Sparql, &[("query", "ASK {}")]),
    ("cancel-discard", Permission::Discard, &[("id", "00000000-0000-0000-0000-000000000000")]),
];

#[test]
async fn every_action_needs_its_own_permission() {
    let orchestrator = orchestrator();
    let full = Site::new(&orchestrator, Access::act("ada", Permission::ALL));
    let token = full.token("/flows").await;
    assert!(!token.is_empty());
    for (action, permission, fields) in ACTIONS {
        let (path, mut fields) = (format!("/act/{action}"), fields.to_vec());
        fields.push(("token", &token));
        for other in Permission::ALL {
            let answer = Site::new(&orchestrator, Access::act("ada", [other])).post(&path, &fields).await;
            let is_refused = answer.status == 403;
            assert_eq!(is_refused, other != *permission, "{action} with {other}: {}", answer.body);
        }
        Site::new(&orchestrator, Access::read("ada")).post(&path, &fields).await.is(403);
        Site::new(&orchestrator, Access::act("ada", Permission::ALL).read_only())
            .post(&path, &fields)
            .await
            .is(403);
        Site::new(&orchestrator, Access::forbidden()).post(&path, &fields).await.is(403);
        let status = full.get(&path).await.status;
        assert_eq!(status, 405, "{action} by GET");
    }
}

#[test]
async fn form_of_another_site_or_operator_is_refused() {
    let orchestrator = orchestrator();
    queue(&orchestrator, 1, ENTITY, SHIP).await;
    kill(&orchestrator, "disk full").await;
    let ada = Site::new(&orchestrator, Access::act("ada", Permission::ALL));
    let bob = Site::new(&orchestrator, Access::act("bob", Permission::ALL));
    let (token, foreign) = (ada.token("/flows").await, bob.token("/flows").await);
    let (state, path) = (("state", "dead"), "/act/resubmit");
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site"), ("origin", "http://shop"), ("host", "shop")],
        &[("origin", "http://evil.example"), ("host", "shop")],
    ] {
        ada.post_from(path, &[state, ("token", &token)], headers).await.is(403);
    }
    for wrong in ["", "x", &foreign, &format!("{token}0"), &token.replace('.', "0.")] {
        let status = ada.post(path, &[state, ("token", wrong)]).await.status;
        assert!(status == 403 || status == 400, "{wrong}: {status}");
    }
    ada.post(path, &[state]).await.is(400);
    for headers in [&[("origin", "null")][..], &[], &[("origin", "http://shop"), ("host", "shop")]] {
        ada.post_from(path, &[state, ("token", &token)], headers).await.is(303);
    }
}

#[test]
async fn wrong_filter_selects_nothing() {
    let orchestrator = orchestrator();
    queue(&orchestrator, 1, ENTITY, SHIP).await;
    kill(&orchestrator, "disk full").await;
    let site = Site::new(&orchestrator, Access::act("ada", Permission::ALL));
    let token = site.token("/flows").await;
    for wrong in [&[("handlr", "pay")][..], &[("handler", "")], &[("state", "dead"), ("state", "dead")], &[]]
    {
        let mut fields = vec![("token", &*token)];
        fields.extend(wrong);
        site.post("/act/discard", &fields).await.is(400);
    }
    site.get("/flows?handlr=pay").await.is(400);
    site.get("/flows?handler=").await.is(400);
    site.get("/api/v1/flows?handler=").await.is(400);
    let operations = orchestrator.flows().unwrap().operations().unwrap().list(None, 10).await.unwrap();
    assert!(operations.items.is_empty());
}

#[test]
async fn every_answer_has_the_headers_of_security() {
    let site = Site::new(&orchestrator(), Access::read("ada"));
    for path in ["/", "/flows", "/flows?x=1", "/api/v1/flows", "/api/v1/none", "/flow?id=1", "/health/live"] {
        let answer = site.get(path).await;
        let header = |name: &str| answer.headers.get(name).map_or("", |value| value.to_str().unwrap());
        assert!(header("content-security-policy").contains("default-src 'none'"), "{path}");
        assert!(header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert!(!header("content-security-policy").contains("unsafe"), "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert_eq!(header("access-control-allow-origin"), "", "{path}");
    }
}

#[test]
async fn loopback_access_refuses_other_names_and_proxies() {
    let site = Site::of(Console::new(&orchestrator(), loopback(Permission::ALL)));
    let request = |headers: &[(&str, &str)]| {
        let mut request = Request::get("/flows");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        let peer = std::net::SocketAddr::from(([127, 0, 0, 1], 7));
        request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
        request
    };
    site.ask(request(&[("host", "localhost:80")])).await.is(200);
    for wrong in [
        &[("host", "evil.example")][..],
        &[("host", "localhost"), ("x-forwarded-for", "10.0.0.1")],
        &[("host", "localhost"), ("forwarded", "for=10.0.0.1")],
        &[],
    ] {
        site.ask(request(wrong)).await.is(403);
    }
    site.get("/flows").await.is(403);
}

#[test]
async fn health_is_public_and_nothing_that_looks_like_it() {
    let site = Site::new(&orchestrator(), Access::forbidden());
    assert_eq!(site.page("/health/live").await, "live");
    assert_eq!(site.page("/health/ready").await, "ready");
    for path in [
        "/flows/health/live",
        "//health/live",
        "/health%2Flive",
        "/health/live/",
        "/health/../flows",
        "/health/live/../../flows",
        "/flows;/health/live",
        "/flows?/health/live",
        "/api/v1/health/live",
    ] {
        let answer = site.get(path).await;
        assert!(answer.status == 403 || answer.status == 404, "{path}: {}", answer.status);
        assert!(!answer.body.contains("Flows"), "{path}");
    }
}

#[test]
async fn basic_authentication_challenges_and_blocks() {
    let access = basic().user("ada", "secret", Permission::ALL).access();
    let site = Site::of(Console::new(&orchestrator(), access));
    let answer = site.get("/flows").await.is(401);
    assert!(answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic"));
    let with = |credentials: &'static str| {
        Request::get("/flows").header(header::AUTHORIZATION, credentials).body(Body::empty()).unwrap()
    };
    site.ask(with("Basic YWRhOnNlY3JldA==")).await.is(200);
    for _ in 0..10 {
        site.ask(with("Basic YWRhOng=")).await.is(401);
    }
    let blocked = site.ask(with("Basic YWRhOnNlY3JldA==")).await.is(429);
    assert!(blocked.headers.contains_key(header::RETRY_AFTER));
}

#[test]
async fn texts_of_users_are_never_markup() {
    let orchestrator = orchestrator();
    let hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u{202e}{{7*7}}&lt;";
    for number in 0..20 {
        queue(&orchestrator, number, &format!("shop:{hostile}:{hostile}:{number}"), SHIP).await;
    }
    kill(&orchestrator, hostile).await;
    let site = Site::new(&orchestrator, Access::act(hostile, Permission::ALL));
    let id = "00000000-0000-0000-0000-000000000001";
    for path in
        ["/", "/flows", &format!("/flow?id={id}"), "/flows?text=%3Cscript%3E", "/flows?%3Cscript%3E=1"]
    {
        let body = site.get(path).await.body;
        assert!(
            !body.contains("<script>") && !body.contains("<img") && !body.contains('\u{202e}'),
            "{path}: {body}"
        );
        assert!(body.contains("&lt;script&gt;"), "{path}");
    }
}

#[test]
async fn notice_that_nobody_signed_is_not_shown() {
    let site = Site::new(&orchestrator(), Access::read("ada"));
    let page = site.page("/flows?notice=call+555&signature=00").await;
    assert!(!page.contains("call 555"));
    assert_eq!(token(&page), "", "a reader has no forms");
}

#[test]
async fn tenant_that_is_shown_is_named() {
    let orchestrator = orchestrator();
    queue(&orchestrator, 1, "orders:acme:parcel:1", SHIP).await;
    queue(&orchestrator, 2, "orders:beta:parcel:2", SHIP).await;
    queue(&orchestrator, 3, "orders:other:parcel:3", SHIP).await;
    kill(&orchestrator, "disk full").await;
    let site = Site::new(&orchestrator, Access::read("ada").tenants(["acme", "beta"]));
    let page = site.page("/").await;
    assert!(
        page.contains("Shown: <strong><bdi>acme</bdi></strong>") && page.contains("overview?tenant=beta"),
        "{page}"
    );
    for path in ["/?tenant=beta", "/flows?tenant=beta", "/groups?tenant=beta"] {
        let page = site.page(path).await;
        assert!(page.contains("Shown: <strong><bdi>beta</bdi></strong>"), "{path}: {page}");
        assert!(!page.contains("parcel:1") && !page.contains("other"), "{path}: {page}");
        site.get(&path.replace("beta", "other")).await.is(403);
    }
    assert_eq!(site.json("overview?tenant=beta").await["flows"]["dead"]["number"], 1);
    for wrong in ["/?tenant=acme&tenant=beta", "/?entity=x", "/?state=dead"] {
        site.get(wrong).await.is(400);
    }
    // Links stay with the tenant, or with that of the entity.
    let page = site.page("/?tenant=beta").await;
    for link in
        ["flows?tenant=beta&amp;state=dead", "flows?tenant=beta&amp;group=", "alerts?tenant=beta\" data-key"]
    {
        assert!(page.contains(link), "{link}: {page}");
    }
    let page = site.page("/flows?entity=orders:beta:parcel:2").await;
    assert!(
        page.contains("beta:parcel:2") && page.contains("Shown: <strong><bdi>beta</bdi></strong>"),
        "{page}"
    );
    assert!(page.contains("flows?entity=orders%3Abeta%3Aparcel%3A2&amp;tenant=acme"), "{page}");
    site.get("/flows?entity=orders:other:parcel:3").await.is(403);
}

#[test]
async fn ten_thousand_hostile_names_leave_pages_small() {
    let orchestrator = orchestrator();
    for number in 0..10_000_u128 {
        let hostile = format!("<b>{number}</b>\"'&\u{202e}/../#{}", "n".repeat(200));
        queue(&orchestrator, number, &format!("orders:{hostile}:{hostile}:{number}"), &hostile).await;
    }
    let site = Site::new(&orchestrator, Access::act("ada", Permission::ALL));
    for path in
        ["/", "/flows", "/groups", "/handlers", "/operations", "/settings", "/entity", "/alerts", "/jobs"]
    {
        let page = site.page(path).await;
        assert!(page.len() < 200_000, "{path}: {}", page.len());
        assert!(!page.contains("<b>") && !page.contains('\u{202e}'), "{path}");
    }
}

#[test]
async fn form_of_one_process_can_be_sent_to_another() {
    let dir = tempfile::tempdir().unwrap();
    let process = async || {
        let store = graceful_sqlite::Store::open(dir.path().join("graceful.db")).await.unwrap();
        let builder = graceful::Orchestrator::builder().service("orders").store(store).in_memory();
        builder.relay(graceful::RelaySettings::off()).build().unwrap()
    };
    let (one, other) = (process().await, process().await);
    let access = Access::act("ada", Permission::ALL);
    let token = Site::new(&one, access.clone()).token("flows").await;
    let fields = [("token", &*token), ("all", "yes")];
    Site::new(&other, access.clone()).post("act/discard", &fields).await.is(303);
    Site::new(&other, Access::act("bob", Permission::ALL)).post("act/discard", &fields).await.is(403);
    // A process that starts later.
    drop((one, other));
    Site::new(&process().await, access).post("act/discard", &fields).await.is(303);
}
