//! The operations on flows, and the pauses.

use std::collections::BTreeSet;

use graceful::{
    backends::{Count, FlowFilter, FlowState, Operation, Page as ListPage, Pause, PauseTarget, Uuid},
    operations::json,
};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::{
    access::Permission,
    page::{Frame, Page, PageError, Tone, badge, count, cut, handler_link, link, more, table, text, time},
    pages::overview::CAP,
    request::{Query, View},
};

/// How many operations one page shows.
const LIMIT: usize = 50;

/// For how many pauses the waiting flows are counted.
const COUNTED: usize = 10;

/// How many handlers the form suggests.
const SUGGESTED: usize = 200;

/// The operations, the newest first, and the pauses.
#[derive(Debug)]
pub(crate) struct Operations {
    /// `None` if the store does not answer.
    found: Option<ListPage<Operation, Uuid>>,
    /// `None` if they are not shown.
    pauses: Option<Pauses>,
}

/// The pauses, and what can be paused.
#[derive(Debug)]
struct Pauses {
    /// `None` if the store does not answer.
    made: Option<Vec<Paused>>,
    handlers: BTreeSet<String>,
}

/// A pause, and the queued flows that wait for its end.
#[derive(Debug)]
struct Paused {
    pause: Pause,
    /// The handler's own flows, or all of them.
    own: Option<Count>,
    /// Flows of other handlers, which wait behind those of the handler.
    behind: Option<Count>,
}

impl Page for Operations {
    const PATH: &'static str = "operations";
    const TITLE: &'static str = "Operations";

    async fn load(view: &View, query: &mut Query) -> Result<Self, PageError> {
        let (after, operations) = (query.take_parsed("after")?, view.operations()?);
        let found = view.shared.number(operations.list(after, LIMIT)).await.map(|mut page| {
            page.items.retain(|operation| view.may_see_operation(operation));
            // What somebody has to do comes first.
            page.items.sort_by_key(|operation| operation.state.is_ended());
            page
        });
        let pauses = match view.access.is_unrestricted() {
            true => Some(Pauses::load(view).await?),
            false => None,
        };
        Ok(Self { found, pauses })
    }

    fn json(&self) -> Value {
        let operations =
            self.found.as_ref().map(|page| page.items.iter().map(json::operation).collect::<Vec<_>>());
        let next = self.found.as_ref().and_then(|page| page.next).map(|next| next.to_string());
        let mut shown = json!({ "operations": operations, "next": next });
        if let Some(pauses) = &self.pauses {
            let made = pauses.made.as_ref().map(|made| made.iter().map(Paused::json).collect::<Vec<_>>());
            shown["pauses"] = made.into();
        }
        shown
    }

    fn html(&self, frame: &Frame<'_>) -> Markup {
        html! {
            section {
                @if self.pauses.is_some() { h2 { "Operations on flows" } }
                @if let Some(page) = &self.found {
                    (list(frame, &page.items))
                    (more("operations", &[], page.next.map(|next| next.to_string())))
                } @else {
                    p.none { "– The store does not answer." }
                }
            }
            @if let Some(pauses) = &self.pauses {
                section {
                    h2 { "Pauses" }
                    p {
                        "A pause concerns all processes that share this store. Relays claim no flow that is paused; what runs already goes on. \
                         A paused subscriber receives no event."
                    }
                    (pauses.html(frame))
                }
            }
        }
    }
}

fn list(frame: &Frame<'_>, operations: &[Operation]) -> Markup {
    let row = |operation: &Operation| {
        let id = operation.id.to_string();
        vec![
            state(operation, |word| frame.live(&format!("state-{id}"), word)),
            html! { a href=(link("operation", &[("id", &id)])) { (operation.action) } },
            html! { span title=(graceful::backends::escaped(&operation.selection)) { (cut(&operation.selection, 160)) } },
            progress(operation, |number| frame.live(&format!("progress-{id}"), number)),
            operator(operation),
            time(operation.prepared_at, frame.now),
            html! { (frame.live(&format!("result-{id}"), result(operation))) },
        ]
    };
    let columns = ["State", "Action", "Flows", "Progress", "Operator", "Prepared", "Result"];
    table("Operations", &columns, &operations.iter().map(row).collect::<Vec<_>>())
}

/// The state of an operation as a word.
pub(super) fn state(operation: &Operation, live: impl FnOnce(&str) -> Markup) -> Markup {
    use graceful::backends::OperationState;
    let tone = match operation.state {
        OperationState::Running => Tone::Busy,
        OperationState::Completed => Tone::Good,
        OperationState::Stopped => Tone::Bad,
        _ => Tone::Plain,
    };
    badge(tone, &live(operation.state.as_str()))
}

/// How far an operation has come.
pub(super) fn progress(operation: &Operation, live: impl FnOnce(String) -> Markup) -> Markup {
    let passed = operation.selected.saturating_sub(operation.left());
    html! {
        (live(format!("{passed} of {}", operation.selected)))
        @if operation.selected > 0 {
            " " progress max=(operation.selected) value=(passed) aria-hidden="true" {}
        }
    }
}

/// Who has prepared an operation.
pub(super) fn operator(operation: &Operation) -> Markup {
    html! { (text(&operation.operator)) @if !operation.verified { span.none { " (unverified)" } } }
}

/// What an operation has done, as a sentence; nothing before it was started.
pub(super) fn result(operation: &Operation) -> String {
    match operation.changed() + operation.skipped {
        0 if !operation.state.is_ended() => String::new(),
        _ => operation.to_string(),
    }
}

impl Pauses {
    async fn load(view: &View) -> Result<Self, PageError> {
        let (shared, store, operations) = (&view.shared, view.store()?, view.operations()?);
        let (stored, relays) = tokio::join!(async { shared.number(operations.pauses()).await }, async {
            shared.number(store.relays()).await
        });
        let handlers = relays.unwrap_or_default().into_iter().flat_map(|relay| relay.info.handlers);
        let handlers = handlers.take(SUGGESTED).collect();
        let Some(stored) = stored else { return Ok(Self { made: None, handlers }) };
        let (mut made, mut is_answering) = (Vec::with_capacity(stored.len()), true);
        for (place, pause) in stored.into_iter().enumerate() {
            let mut counted = Paused { pause, own: None, behind: None };
            if is_answering && place < COUNTED {
                is_answering = counted.count(view).await.is_some();
            }
            made.push(counted);
        }
        Ok(Self { made: Some(made), handlers })
    }

    fn html(&self, frame: &Frame<'_>) -> Markup {
        let rows: Option<Vec<_>> =
            self.made.as_ref().map(|made| made.iter().take(LIMIT).map(|paused| paused.row(frame)).collect());
        html! {
            @if let Some(rows) = &rows {
                (table("Pauses", &["Paused", "Since", "Operator", "Reason", "Waiting flows", "Actions"], rows))
                @if rows.len() == LIMIT { p.none { "The first " (LIMIT) " are shown." } }
            } @else {
                p.none { "– The store does not answer." }
            }
            (frame.form("pause", Permission::Pause, &html! {
                label { span { "What" } select name="kind" {
                    option value="relays" { "all relays" }
                    option value="handler" selected { "a handler" }
                    option value="subscriber" { "a subscriber" }
                } }
                label { span { "Name (empty for all relays)" }
                    input type="text" name="name" list="handlers" maxlength="1024" autocomplete="off" spellcheck="false";
                }
                datalist #handlers { @for handler in &self.handlers { option value=(handler) {} } }
                label { span { "Reason" } input type="text" name="reason" required maxlength="500" autocomplete="off"; }
                (environment(frame))
                button type="submit" { "Pause" }
            }))
        }
    }
}

/// The field for the word that is asked for in production.
pub(super) fn environment(frame: &Frame<'_>) -> Markup {
    let Some(name) = frame.view.shared.asked_environment() else { return html! {} };
    html! {
        label {
            span { "This is production: type " strong { (text(name)) } }
            input type="text" name="environment" required autocomplete="off" spellcheck="false";
        }
    }
}

impl Paused {
    /// Counts the flows that wait; `None` if the store does not answer.
    async fn count(&mut self, view: &View) -> Option<()> {
        let (shared, store) = (&view.shared, view.store().ok()?);
        let mut filter = FlowFilter::from(FlowState::Queued);
        match &self.pause.target {
            PauseTarget::Relays => {}
            PauseTarget::Handler(handler) => {
                filter.handler = Some(handler.clone());
                let behind = store.operations()?.waiting_behind(handler, CAP);
                self.behind = Some(shared.number(behind).await?);
            }
            _ => return Some(()),
        }
        self.own = Some(shared.number(store.count(filter, CAP)).await?);
        Some(())
    }

    fn json(&self) -> Value {
        let mut shown = json::pause(&self.pause);
        shown["waiting"] = self.own.map(json::count).into();
        shown["waiting_behind"] = self.behind.map(json::count).into();
        shown
    }

    fn row(&self, frame: &Frame<'_>) -> Vec<Markup> {
        let Pause { target, operator, reason, at, .. } = &self.pause;
        let own = || frame.live(&format!("waiting-{target}"), count(self.own));
        vec![
            html! {
                (target.kind()) " "
                @match target {
                    PauseTarget::Handler(handler) => (handler_link(handler)),
                    _ => (text(target.name())),
                }
            },
            time(*at, frame.now),
            text(operator),
            text(reason),
            html! {
                @match target {
                    PauseTarget::Relays => (own()),
                    PauseTarget::Handler(_) => {
                        (own()) " of its own, "
                        (frame.live(&format!("behind-{target}"), count(self.behind))) " of other handlers behind them"
                    }
                    _ => span.none { "–" }
                }
            },
            frame.form("resume", Permission::Pause, &html! {
                input type="hidden" name="kind" value=(target.kind());
                input type="hidden" name="name" value=(target.name());
                button type="submit" aria-label={ "Resume " (graceful::backends::escaped(&target.to_string())) } { "Resume" }
            }),
        ]
    }
}
