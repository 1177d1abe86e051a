//! The handlers of this program: their steps with both arms side by side, and what they have done in this process.

use std::time::Duration;

use graceful::{
    Step,
    backends::PauseTarget,
    catalogue::{Catalogue, CataloguedHandler},
};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::{
    access::Permission,
    measurements::{ArmSnapshot, HandlerSnapshot, Measurements, OTHER, Snapshot, StepSnapshot},
    page::{Frame, Page, PageError, cut, duration, fields, link, more, optional, table, text},
    request::{Query, View},
};

/// How many handlers one page shows.
const LIMIT: usize = 100;

/// The handlers, or those with one identity.
#[derive(Debug)]
pub(crate) struct Handlers {
    /// The identity of the chosen handler.
    chosen: Option<String>,
    shown: Vec<Handler>,
    /// What was measured without a handler of the catalogue.
    others: Vec<HandlerSnapshot>,
    /// The place of the first handler of the next page.
    next: Option<usize>,
}

/// A handler of the catalogue, and what was measured of it: with each pattern, if it has several.
#[derive(Debug)]
struct Handler {
    listed: CataloguedHandler,
    measured: Vec<HandlerSnapshot>,
}

impl Page for Handlers {
    const PATH: &'static str = "handlers";
    const TITLE: &'static str = "Handlers";

    async fn load(view: &View, query: &mut Query) -> Result<Self, PageError> {
        let (chosen, after) = (query.take("handler")?, query.take_parsed::<usize>("after")?.unwrap_or(0));
        // What is measured concerns all tenants.
        let measurements = view.shared.measurements.as_ref().filter(|_| view.access.is_unrestricted());
        let snapshot = measurements.map(Measurements::snapshot).unwrap_or_default();
        let catalogue = Catalogue::of_program();
        let is_chosen =
            |listed: &&CataloguedHandler| chosen.as_ref().is_none_or(|name| listed.identity == *name);
        let mut listed = catalogue.handlers().iter().filter(is_chosen).skip(after);
        let shown: Vec<_> =
            listed.by_ref().take(LIMIT).map(|listed| Handler::of(listed, &snapshot)).collect();
        let next = listed.next().map(|_| after + LIMIT);
        if let Some(name) = chosen.as_ref().filter(|_| shown.is_empty()) {
            let missing =
                format_args!("this program has no handler `{name}`: it may be one of another program");
            return Err(PageError::not_found(missing));
        }
        let is_other = |found: &HandlerSnapshot| found.handler.is_empty() || found.handler == OTHER;
        let is_shown = chosen.is_none() && after == 0;
        let others = snapshot.handlers.into_iter().filter(|found| is_shown && is_other(found)).collect();
        Ok(Self { chosen, shown, others, next })
    }

    fn json(&self) -> Value {
        let handlers: Vec<_> = self.shown.iter().map(Handler::json).collect();
        let next = self.next.map(|next| next.to_string());
        json!({ "handlers": handlers, "others": self.others, "next": next })
    }

    fn html(&self, frame: &Frame<'_>) -> Markup {
        let is_measured = frame.view.shared.measurements.is_some();
        html! {
            @if self.chosen.is_some() {
                p { a href="handlers" { "All handlers" } }
                @for handler in &self.shown { (handler.html(frame)) }
            } @else {
                (self.list(frame))
                (more("handlers", &[], self.next.map(|next| next.to_string())))
                @if !self.others.is_empty() {
                    section {
                        h2 { "Without a handler of the catalogue" }
                        @for measured in &self.others { (matrix(measured, None)) }
                    }
                }
            }
            @if !frame.view.access.is_unrestricted() {
                p.none { "Measurements concern all tenants, so they are not shown." }
            } @else if !is_measured {
                p.none { "This console has no measurements: see " code { "Console::measurements" } "." }
            } @else {
                p.none { "Rates are of the last minute, and durations of the last 5 to 10 minutes, both of this process." }
            }
        }
    }
}

impl Handlers {
    fn list(&self, frame: &Frame<'_>) -> Markup {
        let rows: Vec<_> = self.shown.iter().map(|handler| handler.row(frame)).collect();
        let columns = [
            "Handler",
            "Pattern",
            "Delivery",
            "Success flows",
            "Slowest step",
            "Error flows",
            "Slowest step",
            "Failed steps",
            "Place",
        ];
        table("Handlers of this program", &columns, &rows)
    }
}

impl Handler {
    fn of(listed: &CataloguedHandler, snapshot: &Snapshot) -> Self {
        let is_its = |found: &&HandlerSnapshot| {
            found.handler == listed.name && (listed.pattern.is_empty() || found.pattern == listed.pattern)
        };
        let measured = snapshot.handlers.iter().filter(is_its).cloned().collect();
        Self { listed: listed.clone(), measured }
    }

    fn json(&self) -> Value {
        let CataloguedHandler { identity, name, pattern, file, line, declared, required, .. } = &self.listed;
        json!({
            "identity": identity,
            "name": name,
            "pattern": pattern,
            "file": file,
            "line": line,
            "durable": self.listed.is_durable,
            "sync": self.listed.is_sync,
            "reads": self.listed.reads,
            "declared": declared,
            "required": required,
            "measured": self.measured,
        })
    }

    fn kind(&self) -> &'static str {
        match (self.listed.is_durable, self.listed.is_sync, self.listed.reads) {
            (true, ..) => "durable",
            (_, _, true) => "reads through the cache",
            (_, true, _) => "sync",
            _ => "async",
        }
    }

    fn place(&self) -> Markup {
        html! { span.id { (text(self.listed.file)) ":" (self.listed.line) } }
    }

    fn row(&self, frame: &Frame<'_>) -> Vec<Markup> {
        let CataloguedHandler { identity, name, pattern, line, .. } = &self.listed;
        let arm = |of: fn(&HandlerSnapshot) -> &ArmSnapshot, arm: &str| {
            let arms: Vec<_> = self.measured.iter().map(of).collect();
            let rate: f64 = arms.iter().map(|arm| arm.per_second).sum();
            let slowest =
                arms.iter().flat_map(|arm| &arm.steps).filter_map(|step| Some((step.p95_us?, step.step)));
            let slowest = slowest.max_by_key(|(time, _)| *time);
            let slowest = slowest.map(|(time, step)| format!("{} {}", step.as_str(), micros(time)));
            let rate = match arms.is_empty() {
                true => "–".to_owned(),
                false => per_second(rate),
            };
            let live =
                |what: &str, value: String| frame.live(&format!("{what}-{arm}-{identity}-{line}"), value);
            (live("rate", rate), live("slowest", slowest.unwrap_or_else(|| "–".to_owned())))
        };
        let (ok, slowest_ok) = arm(|measured| &measured.ok, "ok");
        let (err, slowest_err) = arm(|measured| &measured.err, "err");
        let arms = self.measured.iter().flat_map(|measured| [&measured.ok, &measured.err]);
        let failed: u64 = arms.flat_map(|arm| &arm.steps).map(|step| step.failed).sum();
        vec![
            html! { a href=(link("handlers", &[("handler", identity)])) title=(identity) { (text(name)) } },
            optional(Some(pattern)),
            html! { (self.kind()) },
            ok,
            slowest_ok,
            err,
            slowest_err,
            frame.live(&format!("failed-{identity}-{line}"), failed),
            self.place(),
        ]
    }

    fn html(&self, frame: &Frame<'_>) -> Markup {
        let listed = &self.listed;
        let flows = html! {
            a href=(link("flows", &[("handler", &listed.identity)])) { "flows" } " · "
            a href=(link("groups", &[("handler", &listed.identity)])) { "failures" }
        };
        let mut pairs = vec![
            ("identity", html! { span.id { (text(&listed.identity)) } }),
            ("pattern", optional(Some(listed.pattern))),
            ("delivery", html! { (self.kind()) }),
            ("place", self.place()),
        ];
        if listed.is_durable {
            pairs.push(("stored", flows));
        }
        html! {
            section {
                h2 { (text(listed.name)) }
                (fields(&pairs))
                @if listed.is_durable { (self.pause(frame)) }
                @for measured in &self.measured { (matrix(measured, Some(listed))) }
                @if self.measured.is_empty() { p.none { "No flow of it was measured. " } (steps(listed)) }
            }
        }
    }

    /// The button that pauses the handler, or resumes it.
    fn pause(&self, frame: &Frame<'_>) -> Markup {
        let target = PauseTarget::Handler(self.listed.identity.clone());
        let named = html! {
            input type="hidden" name="kind" value=(target.kind());
            input type="hidden" name="name" value=(target.name());
        };
        match frame.pauses().iter().any(|pause| pause.target == target) {
            true => frame.form("resume", Permission::Pause, &html! { (named) button type="submit" { "Resume" } }),
            false => frame.form("pause", Permission::Pause, &html! {
                (named)
                label { span { "Reason" } input type="text" name="reason" required maxlength="500" autocomplete="off"; }
                button type="submit" { "Pause the handler in all processes" }
            }),
        }
    }
}

fn steps(listed: &CataloguedHandler) -> Markup {
    html! {
        @if !listed.declared.is_empty() {
            p { "Steps of its declaration: " (listed.declared.iter().map(|step| step.as_str()).collect::<Vec<_>>().join(", ")) "." }
        }
    }
}

/// The nine steps, with both arms side by side.
fn matrix(measured: &HandlerSnapshot, listed: Option<&CataloguedHandler>) -> Markup {
    let declared = |step: Step| match listed {
        Some(listed) if listed.required.contains(&step) => "required",
        Some(listed) if listed.declared.contains(&step) => "declared",
        _ => "",
    };
    let rows = measured.ok.steps.iter().zip(&measured.err.steps).map(|(ok, err)| {
        let mut cells = vec![html! { strong { (ok.step.as_str()) } " " (declared(ok.step)) }];
        cells.extend(numbers(ok));
        cells.extend(numbers(err));
        cells
    });
    let rows: Vec<_> = rows.collect();
    let columns = [
        "Step",
        "ok: done",
        "ok: p95",
        "ok: failed",
        "ok: skipped",
        "err: done",
        "err: p95",
        "err: failed",
        "err: skipped",
    ];
    let name = if measured.pattern.is_empty() { "no pattern" } else { &measured.pattern };
    let arm = |arm: &ArmSnapshot| format!("{} ({})", arm.flows, per_second(arm.per_second));
    html! {
        h3 { (text(name)) }
        p { "ok: " (arm(&measured.ok)) " · err: " (arm(&measured.err)) }
        (table(&format!("Steps of {}", graceful::backends::escaped(name)), &columns, &rows))
    }
}

/// What one arm of a step has done.
fn numbers(step: &StepSnapshot) -> [Markup; 4] {
    [
        html! { (step.done) },
        html! { (step.p95_us.map_or_else(|| "–".to_owned(), micros)) },
        html! {
            (step.failed)
            @if let Some(last) = &step.last_failure { div.error { (cut(&last.text, 160)) } }
        },
        html! { (step.skipped) @if let Some(why) = step.last_skip { ": " (text(why)) } },
    ]
}

fn per_second(rate: f64) -> String {
    format!("{rate:.2}/s")
}

fn micros(time: u64) -> String {
    duration(Duration::from_micros(time))
}
