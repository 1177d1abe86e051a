//! Forms of filters.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::RawQuery,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use maud::{Markup, html};

use crate::{
    Shared,
    request::{Query, View, link_to},
};

/// The value of the box for "no tenant": an empty field is no filter.
const NO_TENANT: &str = "no_tenant";

pub(crate) fn routes(router: Router<Arc<Shared>>, at: &str) -> Router<Arc<Shared>> {
    router.route(&format!("{at}/filter"), get(filtered))
}

/// A browser sends the empty fields of a form, too. Leads to the page with the others: a filter of a page has no empty value.
async fn filtered(Extension(view): Extension<View>, RawQuery(query): RawQuery) -> Response {
    let mut query = Query::parse(query.unwrap_or_default().as_bytes());
    let (page, no_tenant) = match (query.need("page"), query.take(NO_TENANT)) {
        (Ok(page), Ok(no_tenant)) if page.bytes().all(|byte| byte.is_ascii_lowercase()) => (page, no_tenant),
        (Err(error), _) | (_, Err(error)) => return error.page(&view).await,
        _ => return super::PageError::not_found("there is no such page").page(&view).await,
    };
    let mut pairs = query.take_rest();
    pairs.retain(|(_, value)| !value.is_empty());
    for (_, value) in &mut pairs {
        *value = value.trim().to_owned();
    }
    pairs.extend(no_tenant.map(|_| ("tenant".to_owned(), String::new())));
    let target = format!("{}{}", view.base, link_to(&page, pairs));
    (StatusCode::SEE_OTHER, [(header::LOCATION, target)]).into_response()
}

/// A form of these fields, each with an example, and with the current filter in them. What has no field is kept.
pub(crate) fn filter_form(page: &str, fields: &[(&str, &str)], current: &[(&'static str, String)]) -> Markup {
    let value = |key: &str| current.iter().find(|(known, _)| *known == key).map(|(_, value)| value.as_str());
    let others = current.iter().filter(|(key, _)| fields.iter().all(|(field, _)| field != key));
    html! {
        details.narrow open[!current.is_empty()] {
            summary { "Filter" }
            form.filter method="get" action="filter" role="search" {
            input type="hidden" name="page" value=(page);
            @for (key, value) in others { input type="hidden" name=(key) value=(value); }
            @for (key, example) in fields {
                label {
                    span { (key) }
                    input type="text" name=(key) value=[value(key)] placeholder=(example) autocomplete="off" spellcheck="false";
                }
                @if *key == "tenant" {
                    label.box { input type="checkbox" name=(NO_TENANT) value="yes" checked[value(key) == Some("")]; "no tenant" }
                }
            }
            button type="submit" { "Filter" }
            @if !current.is_empty() { a href=(page) { "Clear" } }
            }
        }
    }
}
