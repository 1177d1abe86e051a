//! The frame of every page: head, navigation and notices.

use std::cell::RefCell;

use axum::extract::NestedPath;
use graceful::backends::{Pause, Timestamp};
use maud::{DOCTYPE, Markup, html};

use super::{PageError, cut, name_of, text};
use crate::{
    access::Permission,
    assets,
    request::{Query, Signed, View, link_to},
};

/// What a page needs to be written.
#[derive(Debug)]
pub(crate) struct Frame<'v> {
    pub(crate) view: &'v View,
    /// The token of the forms; `None` if nothing can be changed.
    token: Option<String>,
    notice: Option<String>,
    pauses: Vec<Pause>,
    pub(crate) now: Timestamp,
    cells: RefCell<Vec<(String, String)>>,
}

/// The pages that show the data of one tenant.
const OF_A_TENANT: [&str; 6] = ["", "flows", "groups", "jobs", "alerts", "audit"];

/// The pages that a service without durable flows does not have.
const OF_FLOWS: [&str; 3] = ["flows", "groups", "operations"];

/// How many pauses every page shows.
const SHOWN_PAUSES: usize = 3;

/// The pages of the navigation, each with its key on the keyboard.
const PAGES: [(&str, &str, &str); 10] = [
    ("", "Overview", "o"),
    ("flows", "Flows", "f"),
    ("groups", "Failures", "x"),
    ("handlers", "Handlers", "h"),
    ("jobs", "Jobs", "j"),
    ("alerts", "Alerts", "l"),
    ("audit", "Audit", "a"),
    ("entity", "Entity", "e"),
    ("graph", "Graph", "g"),
    ("operations", "Operations", "p"),
];

impl<'v> Frame<'v> {
    pub(crate) async fn new(view: &'v View, notice: Option<String>) -> Self {
        let pauses = match view.orchestrator().flows().and_then(|store| store.operations()) {
            Some(operations) if view.access.is_unrestricted() => {
                view.shared.number(operations.pauses()).await.unwrap_or_default()
            }
            _ => Vec::new(),
        };
        let token = view.token().await;
        Self { view, token, notice, pauses, now: Timestamp::now(), cells: RefCell::default() }
    }

    /// Takes the notice of an action from the query. Only a signed one is shown: a link cannot make the console say something.
    pub(crate) async fn notice(view: &View, query: &mut Query) -> Result<Option<String>, PageError> {
        let (notice, signature) = (query.take("notice")?, query.take("signature")?);
        let (Some(notice), Some(signature)) = (notice, signature) else { return Ok(None) };
        let signed = (view.access.who(), &*notice);
        let is_ours = view.shared.key.verify(view.orchestrator(), Signed::Notice, signed, &signature).await;
        Ok(Some(notice).filter(|_| is_ours))
    }

    /// The pauses that operators have made; none if they are not shown.
    pub(crate) fn pauses(&self) -> &[Pause] {
        &self.pauses
    }

    /// A text that is updated while the page is open. The name must be unique on the page.
    pub(crate) fn live(&self, name: &str, value: impl std::fmt::Display) -> Markup {
        let value = value.to_string();
        self.cells.borrow_mut().push((name.to_owned(), value.clone()));
        html! { span data-live=(name) { (value) } }
    }

    pub(crate) fn into_cells(self) -> Vec<(String, String)> {
        self.cells.into_inner()
    }

    /// Whether a button of this permission is shown.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.token.is_some() && self.view.access.may(permission)
    }

    /// A form that sends an action, or nothing without the permission.
    pub(crate) fn form(&self, action: &str, permission: Permission, content: &Markup) -> Markup {
        let Some(token) = self.token.as_ref().filter(|_| self.may(permission)) else { return html! {} };
        html! {
            form.action method="post" action={ "act/" (action) } {
                input type="hidden" name="token" value=(token);
                (content)
            }
        }
    }

    /// The token of a form that is not made by [`form`](Self::form), such as one whose buttons send different actions.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The whole page.
    pub(crate) fn whole(&self, path: &'static str, title: &str, query: &str, content: &Markup) -> Markup {
        let shared = &self.view.shared;
        let service = shared.orchestrator.service();
        let suffix = if query.is_empty() { String::new() } else { format!("?{query}") };
        // An error and the answer of an action have no address of their own.
        let is_page = self.is_at(path);
        let accent = shared.accent.map_or("", |accent| accent.as_str());
        html! {
            (DOCTYPE)
            html lang="en" data-accent=(accent) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    base href=(self.view.base);
                    title { (title) " · " (service) @if !shared.environment().is_empty() { " (" (shared.environment()) ")" } }
                    link rel="icon" href=(assets::ICON.path()) type="image/svg+xml";
                    link rel="stylesheet" href=(assets::STYLE.path());
                    script src=(assets::SCRIPT.path()) {}
                }
                body data-page=(path) data-query=(query) {
                    header {
                        @if is_page { a.skip href={ (self.here(path)) (suffix) "#content" } { "Skip to the content" } }
                        a.brand href="overview" { (text(service)) }
                        @if !shared.environment().is_empty() {
                            strong.environment { (text(shared.environment())) }
                        }
                        (self.navigation(path, query))
                        div.tools {
                            span.who { (text(self.view.access.who())) }
                            span #live-control .scripted {}
                            button #theme .scripted type="button" title="Change the theme (t)" { "Theme" }
                            button #help .scripted type="button" title="Shortcuts (?)" { "?" }
                        }
                    }
                    main #content tabindex="-1" {
                        (self.paused())
                        (self.tenant_note(path, query))
                        @if let Some(notice) = &self.notice { p.notice role="status" { (text(notice)) } }
                        h1 { (title) }
                        (content)
                    }
                    footer {
                        "graceful " (env!("CARGO_PKG_VERSION")) " · times are UTC"
                        @if is_page { " · " a href={ "api/v1/" (name_of(path)) (suffix) } { "JSON" } }
                        @if self.view.access.is_unrestricted() { " · " a href="settings" { "Settings" } }
                    }
                }
            }
        }
    }

    /// Whether the request was one for this page.
    fn is_at(&self, path: &str) -> bool {
        let requested = self.view.parts.uri.path();
        let below = requested.strip_prefix(&self.view.shared.at).unwrap_or(requested).trim_matches('/');
        name_of(below) == name_of(path)
    }

    /// The relative link to this page that loads nothing anew, as far as that is known.
    fn here(&self, path: &'static str) -> &'static str {
        let parts = &self.view.parts;
        let is_nested = parts.extensions.get::<NestedPath>().is_some();
        if path.is_empty() && parts.uri.path().ends_with('/') && !is_nested { "./" } else { name_of(path) }
    }

    /// What is paused: every page says so.
    fn paused(&self) -> Markup {
        html! {
            @for pause in self.pauses.iter().take(SHOWN_PAUSES) {
                p.warning {
                    strong { "Paused: " } (cut(&pause.target.to_string(), 160)) " by " (cut(&pause.operator, 80))
                    ": " (cut(&pause.reason, 160)) " "
                    a href="operations" { "Pauses" }
                }
            }
            @if self.pauses.len() > SHOWN_PAUSES {
                p.warning { (self.pauses.len() - SHOWN_PAUSES) " more are paused. " a href="operations" { "Pauses" } }
            }
        }
    }

    /// Which of the tenants that the operator may see is shown.
    fn tenant_note(&self, path: &str, query: &str) -> Markup {
        let Some(only) = self.view.access.only_tenants().filter(|_| OF_A_TENANT.contains(&path)) else {
            return html! {};
        };
        let mut filter = Query::parse(query.as_bytes());
        let (named, _) = (filter.take_all("tenant").pop(), filter.take_all("after"));
        let shown = match (named, filter.clone().take_all("entity").pop()) {
            (None, Some(entity)) => self.view.tenant(None, Some(&entity)).ok().flatten(),
            (named, _) => named.or_else(|| only.first().cloned()),
        };
        let filter = filter.take_rest();
        let link_of = |tenant: &str| {
            let pairs = filter.iter().map(|(key, value)| (key.as_str(), value.as_str()));
            link_to(name_of(path), pairs.chain([("tenant", tenant)]))
        };
        let name = |tenant: &str| {
            if tenant.is_empty() {
                html! { "no tenant" }
            } else {
                text(tenant)
            }
        };
        html! {
            p.none {
                @if let Some(shown) = &shown { "Shown: " strong { (name(shown)) } "." }
                @for tenant in only.iter().filter(|tenant| Some(*tenant) != shown.as_ref()) {
                    " " a href=(link_of(tenant)) { (name(tenant)) }
                }
            }
        }
    }

    /// The links to the pages; of the tenant that is shown, if it was chosen.
    fn navigation(&self, path: &str, query: &str) -> Markup {
        let chosen = Query::parse(query.as_bytes()).take_all("tenant").pop();
        let chosen = chosen.filter(|_| !self.view.access.is_unrestricted());
        let link_of = |page: &str| {
            let tenant = chosen.as_deref().filter(|_| OF_A_TENANT.contains(&page));
            link_to(name_of(page), tenant.map(|tenant| ("tenant", tenant)))
        };
        let has_flows = self.view.orchestrator().flows().is_some();
        html! {
            nav aria-label="Pages" {
                @for (page, name, key) in PAGES.into_iter().filter(|(page, ..)| has_flows || !OF_FLOWS.contains(page)) {
                    a href=(link_of(page)) data-key=(key) aria-current=[(page == path).then_some("page")] { (name) }
                }
            }
        }
    }
}
