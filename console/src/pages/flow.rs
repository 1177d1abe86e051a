//! One flow: its state, its failed attempts, and what the handler's call was.

use graceful::{
    Flow, StepError,
    backends::{FailedAttempt, FlowState, FlowSummary, Operation, Uuid},
    operations::json,
};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::{
    access::Permission,
    actions::seen_field,
    page::{
        EntityLink, Frame, Page, PageError, duration, fields, handler_link, link, optional, state_badge,
        table, text, time, times,
    },
    pages::flows::{can, cause},
    request::{Query, View},
};

/// One flow.
#[derive(Debug)]
pub(crate) struct OneFlow {
    summary: FlowSummary,
    call: Result<Flow, StepError>,
    attempts: Vec<FailedAttempt>,
    operations: Vec<Operation>,
}

impl Page for OneFlow {
    const PATH: &'static str = "flow";
    const TITLE: &'static str = "Flow";

    async fn load(view: &View, query: &mut Query) -> Result<Self, PageError> {
        let id: Uuid = query.take_parsed("id")?.ok_or_else(|| PageError::invalid("`id` is missing"))?;
        let (store, shared) = (view.store()?, &view.shared);
        let gone = || {
            PageError::not_found(format_args!("there is no flow {id}: it was purged, or never stored here"))
        };
        let stored =
            store.get(id).await?.filter(|stored| view.may_see(&stored.summary.entity)).ok_or_else(gone)?;
        let call = stored.flow();
        let attempts = shared.number(store.attempts(id)).await.unwrap_or_default();
        let mut operations = match store.operations() {
            Some(operations) => shared.number(operations.operations_on(id)).await.unwrap_or_default(),
            None => Vec::new(),
        };
        operations.retain(|operation| view.may_see_operation(operation));
        Ok(Self { summary: stored.summary, call, attempts, operations })
    }

    fn json(&self) -> Value {
        let mut shown = json::flow(&self.summary);
        shown["call"] = match &self.call {
            Ok(call) => json::call(call),
            Err(error) => json!({ "unreadable": error.message() }),
        };
        shown["failed_attempts"] = self.attempts.iter().map(json::attempt).collect();
        shown["operations"] = self.operations.iter().map(json::operation).collect();
        shown
    }

    fn html(&self, frame: &Frame<'_>) -> Markup {
        html! {
            div.two {
                section { h2 { "Delivery" } (self.delivery(frame)) (self.actions(frame)) }
                section { h2 { "Call" } (self.call(frame)) }
            }
            @if !self.attempts.is_empty() { section { h2 { "Failed attempts" } (self.attempts(frame)) } }
            @if !self.operations.is_empty() { section { h2 { "Operations on this flow" } (self.operations(frame)) } }
        }
    }
}

impl OneFlow {
    fn delivery(&self, frame: &Frame<'_>) -> Markup {
        let (flow, at) = (&self.summary, |at| time(at, frame.now));
        let mut pairs = vec![
            ("id", html! { span.id { (flow.id) } }),
            ("state", state_badge(flow, |word| frame.live("state", word))),
            ("handler", handler_link(&flow.handler)),
            ("entity", html! { (EntityLink(&flow.entity)) }),
            ("stored", at(flow.stored_at)),
        ];
        match (flow.ended_at, flow.state) {
            (Some(ended), _) => pairs.push(("ended", at(ended))),
            (None, FlowState::Queued) => {
                pairs.push((if flow.running { "lease ends" } else { "due" }, at(flow.due)));
            }
            (None, _) => {}
        }
        pairs.push(("attempts", frame.live("attempts", flow.attempts)));
        if flow.resubmitted > 0 {
            pairs.push(("resubmitted", html! { (times(flow.resubmitted.into())) }));
        }
        if flow.failure.is_some() {
            pairs.push(("last error", cause(flow)));
        }
        fields(&pairs)
    }

    fn call(&self, frame: &Frame<'_>) -> Markup {
        let call = match &self.call {
            Ok(call) => call,
            Err(error) => {
                return html! { p.problem { "The record of this flow cannot be read: " (text(error.message())) } };
            }
        };
        let parent = call.parent().map(|parent| parent.to_string());
        let context = call.context();
        let trace = context.and_then(|context| context.trace).map(|trace| trace.to_string());
        let event = call.event_name().map(|name| html! { (text(name)) " (id " span.id { (call.id()) } ")" });
        html! {
            (fields(&[
                ("outcome", html! { (call.ending().as_str()) " · " (call.code().as_str()) }),
                ("message", text(call.message())),
                ("called", time(call.timestamp(), frame.now)),
                ("pattern", text(call.pattern())),
                ("tenant", optional(Some(call.tenant()))),
                ("actor", optional(call.actor())),
                ("user", optional(context.and_then(|context| context.user.as_deref()))),
                ("event", event.unwrap_or_else(|| optional(None))),
                ("correlation id", optional(Some(&call.correlation_id()))),
                ("request id", optional(context.and_then(|context| context.request_id.as_deref()))),
                ("trace", optional(trace.as_deref())),
                ("parent", html! {
                    @if let Some(parent) = &parent { a.id href=(link("flow", &[("id", parent)])) { (parent) } } @else { (optional(None)) }
                }),
                ("tags", html! { @for tag in call.tags() { span.tag { (text(tag)) } " " } }),
                ("service", html! { (text(call.service())) " " (text(call.environment())) }),
            ]))
            @if !call.payload().is_null() {
                p.none { "The payload is hidden (" (call.payload().as_bytes().len()) " bytes)." }
                (frame.form("reveal", Permission::Reveal, &html! {
                    input type="hidden" name="id" value=(call.id());
                    button type="submit" { "Reveal the payload" }
                }))
            }
        }
    }

    fn attempts(&self, frame: &Frame<'_>) -> Markup {
        let row = |attempt: &FailedAttempt| {
            let failure = &attempt.failure;
            let steps = html! {
                details {
                    summary { (failure.steps.len()) " steps" }
                    ul.steps { @for (step, result) in &failure.steps { li { strong { (step.as_str()) } " " (text(result)) } } }
                }
            };
            vec![
                html! { (attempt.number) @if attempt.resubmitted > 0 { " (resubmission " (attempt.resubmitted) ")" } },
                time(attempt.at, frame.now),
                html! { (duration(failure.took)) },
                html! { @if let Some(step) = failure.cause.step { (step.as_str()) } },
                html! { @if let Some(code) = failure.cause.code { (code.as_str()) } },
                html! { div.error { (text(&failure.cause.error)) } },
                steps,
            ]
        };
        let rows: Vec<_> = self.attempts.iter().map(row).collect();
        table(
            "Failed attempts",
            &["Attempt", "Ended", "Took", "Failed step", "Code", "Error", "Results"],
            &rows,
        )
    }

    fn operations(&self, frame: &Frame<'_>) -> Markup {
        let row = |operation: &Operation| {
            vec![
                time(operation.prepared_at, frame.now),
                html! { a href=(link("operation", &[("id", &operation.id.to_string())])) { (operation.action.as_str()) } },
                html! { (operation.state.as_str()) },
                text(&operation.operator),
                text(&operation.to_string()),
            ]
        };
        let rows: Vec<_> = self.operations.iter().map(row).collect();
        table("Operations on this flow", &["Prepared", "Action", "State", "Operator", "Result"], &rows)
    }

    fn actions(&self, frame: &Frame<'_>) -> Markup {
        use graceful::backends::Action;
        let flow = &self.summary;
        let seen = html! { input type="hidden" name="flow" value=(seen_field(flow)); };
        html! {
            div.actions {
                @if can(Action::Resubmit, flow.state) {
                    (frame.form("resubmit", Permission::Flows, &html! { (seen) button type="submit" { "Resubmit…" } }))
                }
                @if can(Action::Postpone(std::time::Duration::ZERO), flow.state) {
                    (frame.form("postpone", Permission::Flows, &html! {
                        (seen)
                        button type="submit" { "Postpone by" }
                        label { input.short type="number" name="minutes" min="1" value="60" aria-label="Minutes"; " min" }
                    }))
                }
                @if can(Action::Discard, flow.state) {
                    (frame.form("discard", Permission::Discard, &html! { (seen) button.danger type="submit" { "Discard…" } }))
                }
            }
        }
    }
}
