//! A console to ask, as a browser does.

use axum::{Router, body::Body};
use bytes::Bytes;
use graceful::Orchestrator;
use graceful_console::{Console, access::Access};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;
use url::form_urlencoded::Serializer;

/// The routes of an application with a console.
#[derive(Clone, Debug)]
pub struct Site(Router);

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Site {
    /// A console at the root, with the same access for everybody.
    pub fn new(orchestrator: &Orchestrator, access: Access) -> Self {
        let access = move |_| std::future::ready(access.clone());
        Self::of(Console::new(orchestrator, access))
    }

    pub fn of(console: Console) -> Self {
        Self(console.router())
    }

    /// The routes of an application.
    pub fn routed(router: Router) -> Self {
        Self(router)
    }

    pub async fn ask(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.0.clone().oneshot(request).await.unwrap().into_parts();
        let body: Bytes = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(absolute(path)).body(Body::empty()).unwrap()).await
    }

    /// The page, which must be there.
    pub async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        answer.body
    }

    /// The JSON twin of a page.
    pub async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.page(&format!("/api/v1/{}", path.trim_start_matches('/'))).await).unwrap()
    }

    /// The token of the forms of a page; empty if it has no form.
    pub async fn token(&self, path: &str) -> String {
        token(&self.page(path).await)
    }

    /// Sends a form with these fields.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_from(path, fields, &[("sec-fetch-site", "same-origin")]).await
    }

    pub async fn post_from(&self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request =
            Request::post(absolute(path)).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(request.body(Body::from(body)).unwrap()).await
    }
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

/// The token in a page.
pub fn token(page: &str) -> String {
    let field = page.split_once("name=\"token\" value=\"").map_or("", |(_, rest)| rest);
    field.split('"').next().unwrap_or_default().to_owned()
}

impl Answer {
    /// Where the answer leads to.
    pub fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |location| location.to_str().unwrap())
    }

    /// Where a redirect leads to, without the first slash.
    #[track_caller]
    pub fn target(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.location().strip_prefix('/').unwrap()
    }

    /// Fails unless the answer has this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{} {}", self.location(), self.body);
        self
    }
}
