//! The sections of the page of an entity.

use graceful::{
    backends::{FlowState, Hit, Timestamp},
    operations::json,
};
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::{
    known::{Known, LIMIT, Part},
    timeline::{Event, timeline},
};
use crate::{
    access::Permission,
    actions::{key_field, seen_entry},
    page::{
        Frame, Tone, badge, cut, duration, fields, flow_link, handler_link, link, optional, table, text,
        time, times,
    },
    pages::{
        alerts::{open_table, resolved_table},
        audit::{check_badge, checked_json},
        graph::{edge_json, edges_table},
        jobs::jobs_table,
    },
};

impl Known {
    /// The same as the page shows. What a store does not tell is `null`.
    pub(super) fn json(&self) -> Value {
        let cache = self.cache.known().map(|hit| hit.as_ref().map(cache_json));
        let stats = self.stats.map(|stats| json!({ "hits": stats.hits, "misses": stats.misses, "filled": stats.filled, "refused": stats.refused, "unconfirmed": stats.unconfirmed }));
        let metadata = self.metadata.known().map(|states| {
            let one = |state: &std::sync::Arc<graceful::Metadata>| {
                json!({
                    "state": state.state.to_string(),
                    "previous": state.previous.map(|id| id.to_string()),
                    "next": state.next.map(|id| id.to_string()),
                    "related": state.related.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    "score": state.score,
                    "errors": state.error_count,
                    "last_success": state.last_success.map(json::time),
                    "last_error": state.last_error.as_ref().map(|error| json!({ "at": json::time(error.at), "code": error.code.as_str() })),
                    "updated_at": json::time(state.updated_at),
                })
            };
            states.iter().map(one).collect::<Vec<_>>()
        });
        let mut shown = Map::new();
        let mut add = |name: &str, value: Value| shown.insert(name.to_owned(), value);
        add("entity", (&*self.name).into());
        add("timeline", timeline(self).iter().map(Event::json).collect());
        add("cache", json!({ "entry": cache, "read_through": stats, "reasons": self.reasons() }));
        add("metadata", metadata.into());
        add("flows", list(&self.flows, json::flow));
        add("operations", self.operations.iter().map(|(_, operation)| json::operation(operation)).collect());
        add("records", list(&self.records, checked_json));
        add("jobs", list(&self.jobs, json::job));
        add("open_alerts", list(&self.open, json::alert));
        add("resolved_alerts", list(&self.resolved, json::alert));
        add("edges", list(&self.edges, edge_json));
        shown.into()
    }

    pub(super) fn html(&self, frame: &Frame<'_>) -> Markup {
        let of = [("entity", &*self.name)];
        html! {
            p {
                span.id { (cut(&self.name, 300)) } " · "
                a href=(link("flows", &of)) { "flows" } " · "
                a href=(link("audit", &of)) { "audit records" } " · "
                a href=(link("graph", &of)) { "graph" }
            }
            @if self.key.is_none() {
                p.warning { "The name contains only the hash of a long part, and no store knows the whole: cache, metadata and graph are not shown." }
            }
            div.two {
                section { h2 { "Cache" } (self.cache(frame)) }
                section { h2 { "Metadata" } (self.metadata(frame)) }
            }
            section { h2 { "Open alerts and review jobs" }
                (shown(&self.open, "alerts", |open| open_table(frame, open)))
                (shown(&self.jobs, "review jobs", |jobs| jobs_table(frame, jobs)))
            }
            section { h2 { "Time line" } (self.timeline(frame)) }
            @if !self.resolved.items().is_empty() {
                section { h2 { "Resolved alerts" } (resolved_table(frame, self.resolved.items())) }
            }
            section { h2 { "Neighbours" }
                (shown(&self.edges, "graph", |edges| edges_table(frame, &edges[edges.len().saturating_sub(LIMIT)..])))
            }
        }
    }

    fn cache(&self, frame: &Frame<'_>) -> Markup {
        let read_through = html! {
            @match self.stats {
                Some(stats) => {
                    "yes; in this process " (stats.hits) " hits, " (stats.misses) " misses, " (stats.filled) " loads stored, "
                    (stats.refused) " refused, " (stats.unconfirmed) " writes unconfirmed"
                },
                None => "no",
            }
        };
        let reasons = html! { @for reason in self.reasons() { p { (text(&reason)) } } };
        shown(&self.cache, "cache", |hit| match hit {
            None => {
                html! { p { "No value is cached." } (fields(&[("read through the cache", read_through)])) }
            }
            Some(hit) => html! {
                (fields(&[
                    ("age", frame.live("cache-age", duration(hit.age))),
                    ("stored", time(hit.entry.stored_at, frame.now)),
                    ("version", html! { @match hit.entry.version { Some(version) => (version), None => (optional(None)) } }),
                    ("size", html! { (hit.entry.value.as_bytes().len()) " bytes; the value is hidden" }),
                    ("read through the cache", read_through),
                ]))
                (reasons)
                @if let Some(key) = &self.key {
                    (frame.form("drop-cache", Permission::Cache, &html! {
                        (key_field(key))
                        input type="hidden" name="seen" value=(seen_entry(hit));
                        button.danger type="submit" { "Drop the cached value" }
                    }))
                }
            },
        })
    }

    /// Why the cached value may be old.
    fn reasons(&self) -> Vec<String> {
        let Some(Some(hit)) = self.cache.known() else { return Vec::new() };
        let stored = hit.entry.stored_at;
        let mut reasons = Vec::new();
        for flow in self.flows.items() {
            let waits = match flow.state {
                FlowState::Dead => "is a dead letter",
                FlowState::Queued => "is not delivered yet",
                _ => continue,
            };
            let step = flow
                .failure
                .as_ref()
                .and_then(|cause| cause.step)
                .map(|step| format!(", failed at the step {}", step.as_str()));
            reasons.push(format!(
                "Flow {} {waits}{}: the cache does not show it.",
                flow.id,
                step.unwrap_or_default()
            ));
        }
        let last_success = self.metadata.items().first().and_then(|state| state.last_success);
        match last_success.or_else(|| self.newest_success()) {
            Some(at) if is_later(at, stored) => {
                reasons.push(format!("A flow succeeded later, at {at:.0}, and did not renew the value."));
            }
            Some(_) => reasons.push("No flow of the entity succeeded after the value was stored.".to_owned()),
            None => {}
        }
        if hit.depends_on_more {
            reasons.push("The value depends on other entities, which are not compared here: a reader may find it stale.".to_owned());
        }
        reasons
    }

    fn newest_success(&self) -> Option<Timestamp> {
        let records = self.records.items().iter().map(|(record, _)| record);
        records.filter(|record| record.ending.is_success()).map(|record| record.at).max()
    }

    fn metadata(&self, frame: &Frame<'_>) -> Markup {
        let flow = |id: &str| html! { a.id href=(link("flow", &[("id", id)])) { (id) } };
        shown(&self.metadata, "metadata", |states| {
            let Some(latest) = states.first() else {
                return html! { p { "No flow has recorded metadata." } };
            };
            let rows: Vec<_> = states
                .iter()
                .map(|state| {
                    vec![
                        time(state.updated_at, frame.now),
                        flow(&state.state.to_string()),
                        html! { (state.score) },
                        html! { (state.error_count) },
                        html! { @for related in &state.related { (flow(&related.to_string())) " " } },
                    ]
                })
                .collect();
            html! {
                (fields(&[
                    ("succeeded", html! { (times(latest.score)) }),
                    ("failed", html! { (times(latest.error_count)) }),
                    ("last success", latest.last_success.map_or_else(|| optional(None), |at| time(at, frame.now))),
                    ("last error", html! {
                        @match &latest.last_error {
                            Some(error) => { (error.code.as_str()) " at " (time(error.at, frame.now)) },
                            None => (optional(None)),
                        }
                    }),
                ]))
                details {
                    summary { "The last " (states.len()) " states" }
                    (table("States of the metadata", &["Recorded", "Flow", "Succeeded", "Failed", "Related flows"], &rows))
                }
            }
        })
    }

    fn timeline(&self, frame: &Frame<'_>) -> Markup {
        let row = |event: &Event| {
            vec![
                time(event.at, frame.now),
                badge(
                    if event.is_failure { Tone::Bad } else { Tone::Plain },
                    &html! {
                        (event.kind) @if event.is_failure && event.kind == "flow" { ", failed" }
                    },
                ),
                html! { @if !event.handler.is_empty() { (handler_link(&event.handler)) } },
                html! { (optional(event.actor.as_deref())) },
                cut(&event.text, 300),
                html! { @if let Some(id) = event.flow { (flow_link(id)) } },
                html! { (event.stores.join(", ")) },
                html! { @match event.check { Some(check) => (check_badge(check)), None => (optional(None)) } },
            ]
        };
        let rows: Vec<_> = timeline(self).iter().map(row).collect();
        let silent = [
            ("flows", matches!(self.flows, Part::Failed)),
            ("audit records", matches!(self.records, Part::Failed)),
            ("metadata", matches!(self.metadata, Part::Failed)),
            ("resolved alerts", matches!(self.resolved, Part::Failed)),
            ("history of the graph", matches!(self.history, Part::Failed)),
            ("nexus", matches!(self.trace, Part::Failed)),
        ];
        html! {
            @for (name, _) in silent.iter().filter(|(_, failed)| *failed) {
                p.warning { (name) ": –, the store does not answer." }
            }
            (table(
                "Events of the entity",
                &["Time", "What", "Handler", "Who", "Text", "Flow", "Known to", "Audit record"],
                &rows,
            ))
            p.none {
                "Of each store the newest " (LIMIT) ". More: "
                a href=(link("flows", &[("entity", &self.name)])) { "all flows" } ", "
                a href=(link("audit", &[("entity", &self.name)])) { "all audit records" }
            }
        }
    }
}

/// Later by more than a step takes: the handler ends before its value is stored, and clocks differ.
fn is_later(at: Timestamp, stored: Timestamp) -> bool {
    at.as_second() > stored.as_second() + 1
}

fn cache_json(hit: &Hit) -> Value {
    json!({
        "age_seconds": hit.age.as_secs_f64(),
        "stored_at": json::time(hit.entry.stored_at),
        "version": hit.entry.version,
        "bytes": hit.entry.value.as_bytes().len(),
    })
}

fn list<T>(part: &Part<Vec<T>>, one: impl Fn(&T) -> Value) -> Value {
    part.known().map(|items| items.iter().map(one).collect::<Vec<_>>()).into()
}

/// A part, or why it is not shown.
fn shown<T>(part: &Part<T>, name: &str, show: impl FnOnce(&T) -> Markup) -> Markup {
    match part {
        Part::Off => html! { p.none { "– (no " (name) " here)" } },
        Part::Failed => html! { p.warning { (name) ": –, the store does not answer." } },
        Part::Known(known) => show(known),
    }
}
