//! Why a page or an action gives no result.

use std::fmt;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use graceful::Code;
use http::{HeaderValue, StatusCode, header, request::Parts};
use maud::{DOCTYPE, html};
use serde_json::json;

use super::{API, Frame, html as html_of};
use crate::{access::Refusal, request::View};

/// The error of a page or of an action: a status, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PageError {
    status: StatusCode,
    message: String,
}

impl PageError {
    fn new(status: StatusCode, message: impl fmt::Display) -> Self {
        Self { status, message: message.to_string() }
    }

    /// What was sent is not valid.
    pub(crate) fn invalid(message: impl fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn forbidden(message: impl fmt::Display) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    pub(crate) fn not_found(message: impl fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// What is shown has changed since.
    pub(crate) fn changed(message: impl fmt::Display) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// A backend fails.
    pub(crate) fn unavailable(message: impl fmt::Display) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// The code of the error, for a record of it.
    pub(crate) fn code(&self) -> Code {
        match self.status {
            StatusCode::BAD_REQUEST => Code::InvalidArgument,
            StatusCode::FORBIDDEN => Code::PermissionDenied,
            StatusCode::NOT_FOUND => Code::NotFound,
            StatusCode::CONFLICT => Code::Aborted,
            _ => Code::Unavailable,
        }
    }

    pub(crate) async fn page(&self, view: &View) -> Response {
        let frame = Frame::new(view, None).await;
        let title = self.status.canonical_reason().unwrap_or("Error");
        let content = html! {
            p.problem role="alert" { (super::text(&self.message)) }
            p { a href="overview" { "Back to the overview" } }
        };
        let mut response = html_of(frame.whole("error", title, "", &content));
        *response.status_mut() = self.status;
        response
    }

    pub(crate) fn problem(&self) -> Response {
        problem(self.status, &self.message)
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Problem details as of [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457).
pub(crate) fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let body =
        Json(json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail }));
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

/// The answer to somebody who may see nothing: without the frame, which shows names.
pub(crate) fn refused(parts: &Parts, at: &str, why: Refusal) -> Response {
    let (status, message) = match why {
        Refusal::Forbidden => (StatusCode::FORBIDDEN, "You have no access to this console."),
        Refusal::Unauthenticated => (StatusCode::UNAUTHORIZED, "Name and password are needed."),
        Refusal::TooManyFailures(_) => {
            (StatusCode::TOO_MANY_REQUESTS, "Too many wrong passwords: wait a minute.")
        }
    };
    let is_api = parts.uri.path().strip_prefix(at).is_some_and(|path| path.starts_with(API));
    let mut response = if is_api {
        problem(status, message)
    } else {
        let mut page = html_of(html! {
            (DOCTYPE)
            html lang="en" {
                head { meta charset="utf-8"; title { (message) } }
                body { main { h1 { (status.canonical_reason().unwrap_or("Error")) } p { (message) } } }
            }
        });
        *page.status_mut() = status;
        page
    };
    let headers = response.headers_mut();
    match why {
        Refusal::Forbidden => {}
        Refusal::Unauthenticated => {
            let challenge = HeaderValue::from_static("Basic realm=\"graceful console\", charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        Refusal::TooManyFailures(left) => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(left.as_secs() + 1));
        }
    }
    response
}
