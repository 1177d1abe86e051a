//! The lists of open and of resolved alerts.

use graceful::{
    backends::{Alert, IncidentCursor, IncidentFilter},
    operations::json,
};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::jobs::{FIELDS, incident_filter, summary};
use crate::{
    access::Permission,
    actions::{incident_fields, seen_alert},
    page::{
        EntityLink, Frame, Page, PageError, Tone, badge, cut, duration, filter_form, flow_link, handler_link,
        more, table, time,
    },
    request::{Query, View, link_to},
};

/// How many open alerts one page shows.
const LIMIT: usize = 50;

/// How many resolved alerts are looked through.
pub(super) const RESOLVED: usize = 100;

/// A page of open alerts, the oldest first, or the last resolved ones.
#[derive(Debug)]
pub(crate) struct Alerts {
    filter: IncidentFilter,
    is_resolved: bool,
    /// `None` if there is no alert store.
    found: Option<Vec<Alert>>,
    next: Option<String>,
}

impl Page for Alerts {
    const PATH: &'static str = "alerts";
    const TITLE: &'static str = "Alerts";

    async fn load(view: &View, query: &mut Query) -> Result<Self, PageError> {
        let after: Option<IncidentCursor> = query.take_parsed("after")?;
        let is_resolved = match query.take("state")?.as_deref() {
            None | Some("open") => false,
            Some("resolved") => true,
            Some(other) => {
                return Err(PageError::invalid(format_args!("state: `{other}` is not `open` or `resolved`")));
            }
        };
        let filter = incident_filter(view, query)?;
        let Some(alerts) = view.orchestrator().alerts() else {
            return Ok(Self { filter, is_resolved, found: None, next: None });
        };
        let (found, next) = if is_resolved {
            let mut last = alerts.resolved(RESOLVED).await?;
            last.retain(|alert| filter.selects(&alert.incident()));
            (last, None)
        } else {
            let page = alerts.open(filter.clone(), after, LIMIT).await?;
            (page.items, page.next.map(|next| next.to_string()))
        };
        Ok(Self { filter, is_resolved, found: Some(found), next })
    }

    fn json(&self) -> Value {
        let alerts = self.found.as_ref().map(|alerts| alerts.iter().map(json::alert).collect::<Vec<_>>());
        json!({ "alerts": alerts, "next": self.next })
    }

    fn html(&self, frame: &Frame<'_>) -> Markup {
        let Some(found) = &self.found else {
            return html! { p.none { "This service has no alert store." } };
        };
        let mut pairs = self.filter.pairs();
        let tab = |state: &str| {
            link_to(
                "alerts",
                pairs.iter().map(|(key, value)| (*key, value.as_str())).chain([("state", state)]),
            )
        };
        let tabs = html! {
            nav.tabs aria-label="States" {
                a href=(tab("open")) aria-current=[(!self.is_resolved).then_some("true")] { "open" }
                a href=(tab("resolved")) aria-current=[self.is_resolved.then_some("true")] { "resolved" }
            }
        };
        if self.is_resolved {
            pairs.push(("state", "resolved".to_owned()));
        }
        html! {
            (tabs)
            (filter_form("alerts", &FIELDS, &pairs))
            @if self.is_resolved {
                p.none { "Of the last " (RESOLVED) " resolved alerts." }
                (resolved_table(frame, found))
            } @else {
                (open_table(frame, found))
            }
            (more("alerts", &pairs, self.next.clone()))
        }
    }
}

/// A table of open alerts, with their actions.
pub(super) fn open_table(frame: &Frame<'_>, alerts: &[Alert]) -> Markup {
    let row = |alert: &Alert| {
        let mut cells = cells(frame, alert);
        cells.push(frame.form(
            "resolve-alert",
            Permission::Alerts,
            &html! {
                (incident_fields(&alert.incident(), &seen_alert(alert)))
                button type="submit" { "Resolve" }
            },
        ));
        cells
    };
    let rows: Vec<_> = alerts.iter().map(row).collect();
    table(
        "Open alerts",
        &["Severity", "Entity", "Handler", "Message", "Fired first", "Fired last", "Flows", "Actions"],
        &rows,
    )
}

/// A table of resolved alerts.
pub(super) fn resolved_table(frame: &Frame<'_>, alerts: &[Alert]) -> Markup {
    let row = |alert: &Alert| {
        let mut cells = cells(frame, alert);
        cells.push(html! {
            @if let Some(at) = alert.resolved_at {
                (time(at, frame.now)) ", open for " (duration(at.duration_since(alert.fired_at).try_into().unwrap_or_default()))
            }
        });
        cells
    };
    let rows: Vec<_> = alerts.iter().map(row).collect();
    table(
        "Resolved alerts",
        &["Severity", "Entity", "Handler", "Message", "Fired first", "Fired last", "Flows", "Resolved"],
        &rows,
    )
}

fn cells(frame: &Frame<'_>, alert: &Alert) -> Vec<Markup> {
    let name = alert.incident().to_string();
    let is_open = alert.resolved_at.is_none();
    let tone = if is_open { Tone::Bad } else { Tone::Plain };
    vec![
        badge(tone, &html! { (alert.severity.as_str()) }),
        html! {
            @if alert.summary { (summary(alert.entity.pattern())) " " (cut(&name, 200)) }
            @else { (EntityLink(&alert.entity.to_string())) }
        },
        handler_link(&alert.owner),
        html! { (alert.code.as_str()) ": " (cut(&alert.message, 160)) },
        time(alert.fired_at, frame.now),
        time(alert.last_fired_at, frame.now),
        html! {
            @if is_open { (frame.live(&format!("count-{name}"), alert.count)) } @else { (alert.count) }
            ", last " (flow_link(alert.flow))
        },
    ]
}
