//! What the pages share: their routes, their frame, their parts and their errors.

mod error;
mod filter;
mod frame;
mod parts;

use std::{future::Future, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::RawQuery,
    response::{IntoResponse, Response},
    routing::get,
};
use http::header;
use maud::Markup;
use serde_json::Value;

pub(crate) use self::{
    error::{PageError, problem, refused},
    filter::{filter_form, routes as filter_routes},
    frame::Frame,
    parts::{
        EntityLink, Tone, ago, badge, count, cut, duration, fields, flow_link, handler_link, link, more,
        optional, state_badge, table, text, time, times,
    },
};
use crate::{
    Shared,
    request::{Query, View},
};

/// One page: what it shows, as HTML and as JSON.
pub(crate) trait Page: Sized + Send + 'static {
    /// The path below the console's own; empty for the first page.
    const PATH: &'static str;
    const TITLE: &'static str;

    /// Reads what is to be shown. Takes its keys from the query.
    fn load(view: &View, query: &mut Query) -> impl Future<Output = Result<Self, PageError>> + Send;

    /// The same as the page shows, for scripts.
    fn json(&self) -> Value;

    fn html(&self, frame: &Frame<'_>) -> Markup;
}

/// The prefix of the JSON twins.
pub(crate) const API: &str = "/api/v1";

/// The name of a page in links. The first page has one too: where the console is nested, there is no path with a final slash.
pub(crate) const fn name_of(path: &str) -> &str {
    if path.is_empty() { "overview" } else { path }
}

/// Adds the routes of a page and of its JSON twin.
pub(crate) fn page<P: Page>(router: Router<Arc<Shared>>, at: &str) -> Router<Arc<Shared>> {
    let router = match P::PATH {
        "" if at.is_empty() => router.route("/", get(shown::<P>)),
        "" => router.route(at, get(shown::<P>)).route(&format!("{at}/"), get(shown::<P>)),
        _ => router,
    };
    let name = name_of(P::PATH);
    let router = router.route(&format!("{at}/{name}"), get(shown::<P>));
    router.route(&format!("{at}{API}/{name}"), get(twin::<P>))
}

/// How long the backends may take for a page. Numbers that may be missing are waited for less long.
const PAGE: Duration = Duration::from_secs(10);

pub(crate) async fn within<T>(load: impl Future<Output = Result<T, PageError>>) -> Result<T, PageError> {
    let late = |_| Err(PageError::unavailable("the backends of this page do not answer"));
    tokio::time::timeout(PAGE, load).await.unwrap_or_else(late)
}

async fn shown<P: Page>(Extension(view): Extension<View>, RawQuery(query): RawQuery) -> Response {
    match within(rendered::<P>(&view, query.as_deref())).await {
        Ok((markup, _)) => html(markup),
        Err(error) => error.page(&view).await,
    }
}

/// A page, and the texts of its live cells.
pub(crate) async fn rendered<P: Page>(
    view: &View,
    query: Option<&str>,
) -> Result<(Markup, Vec<(String, String)>), PageError> {
    let mut parsed = Query::parse(query.unwrap_or_default().as_bytes());
    let notice = Frame::notice(view, &mut parsed).await?;
    let page = P::load(view, &mut parsed).await?;
    parsed.end()?;
    let frame = Frame::new(view, notice).await;
    let content = page.html(&frame);
    let whole = frame.whole(P::PATH, P::TITLE, query.unwrap_or_default(), &content);
    Ok((whole, frame.into_cells()))
}

async fn twin<P: Page>(Extension(view): Extension<View>, RawQuery(query): RawQuery) -> Response {
    let mut query = Query::parse(query.unwrap_or_default().as_bytes());
    let load = async {
        // The page's own link has the query of the page.
        Frame::notice(&view, &mut query).await?;
        let page = P::load(&view, &mut query).await?;
        query.end().map(|()| page)
    };
    match within(load).await {
        Ok(page) => axum::Json(page.json()).into_response(),
        Err(error) => error.problem(),
    }
}

pub(crate) fn html(markup: Markup) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], markup.into_string()).into_response()
}
