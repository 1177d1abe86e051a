//! One operation on flows: what it will do, how far it has come, and what it has not changed.

use std::collections::BTreeSet;

use graceful::{
    backends::{
        Action, FlowSummary, ItemState, Operation, OperationItem, OperationState, Page as ListPage,
        Timestamp, Uuid,
    },
    operations::json,
};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::{
    access::Permission,
    page::{
        EntityLink, Frame, Page, PageError, ago, duration, fields, handler_link, link, more, optional, table,
        text, time,
    },
    pages::operations::{environment, operator, progress, result, state},
    request::{Query, View},
};

/// How many flows of the list one page shows.
const LIMIT: usize = 50;

/// How many flows are shown before an operation is confirmed.
const SAMPLES: usize = 10;

/// One operation.
#[derive(Debug)]
pub(crate) struct OneOperation {
    operation: Operation,
    /// The first flows of the list, before the operation is confirmed; `None` if the store does not answer.
    samples: Option<Vec<(OperationItem, Option<FlowSummary>)>>,
    items: Vec<Items>,
}

/// The flows of the list in one state.
#[derive(Debug)]
struct Items {
    state: ItemState,
    /// `None` if the store does not answer.
    found: Option<ListPage<OperationItem, Uuid>>,
}

impl Page for OneOperation {
    const PATH: &'static str = "operation";
    const TITLE: &'static str = "Operation";

    async fn load(view: &View, query: &mut Query) -> Result<Self, PageError> {
        let id: Uuid = query.take_parsed("id")?.ok_or_else(|| PageError::invalid("`id` is missing"))?;
        let chosen = query.take("items")?.map(|name| item_state(&name)).transpose()?;
        let after = query.take_parsed("after")?;
        if after.is_some() && chosen.is_none() {
            return Err(PageError::invalid("`after` needs `items`"));
        }
        let operation = view.operation(id).await?;
        let samples = match operation.state {
            OperationState::Prepared => samples(view, id).await,
            _ => Some(Vec::new()),
        };
        // Without a choice: what was not changed.
        let unchanged = [(ItemState::Skipped, operation.skipped), (ItemState::Failed, operation.failed)];
        let states = match chosen {
            Some(state) => vec![state],
            None => unchanged.into_iter().filter(|(_, number)| *number > 0).map(|(state, _)| state).collect(),
        };
        let mut items = Vec::with_capacity(states.len());
        for state in states {
            let page = view.operations()?.items(id, Some(state), after, LIMIT);
            items.push(Items { state, found: view.shared.number(page).await });
        }
        Ok(Self { operation, samples, items })
    }

    fn json(&self) -> Value {
        let mut shown = json::operation(&self.operation);
        shown["older"] = self.operation.older.into();
        if self.operation.state == OperationState::Prepared {
            shown["expires_at"] = self.expires_at().map(json::time).into();
            let sample = |(item, flow): &(OperationItem, Option<FlowSummary>)| {
                let mut shown = json::item(item);
                shown["flow"] = flow.as_ref().map(json::flow).into();
                shown
            };
            shown["samples"] =
                self.samples.as_ref().map(|samples| samples.iter().map(sample).collect::<Vec<_>>()).into();
        }
        let items = self.items.iter().map(|Items { state, found }| {
            let items = found.as_ref().map(|page| page.items.iter().map(json::item).collect::<Vec<_>>());
            let next = found.as_ref().and_then(|page| page.next).map(|next| next.to_string());
            (state.to_string(), json!({ "items": items, "next": next }))
        });
        shown["items"] = Value::Object(items.collect());
        shown
    }

    fn html(&self, frame: &Frame<'_>) -> Markup {
        html! {
            section { (self.fields(frame)) (self.cancel(frame)) }
            @if self.operation.state == OperationState::Prepared {
                section { h2 { "What it will do" } (self.prepared(frame)) }
            }
            section { h2 { "Flows of its list" } (self.tabs()) @for items in &self.items { (self.items(items)) } }
        }
    }
}

/// The first flows of a list, as they are now. With access to some tenants, a flow of another one is left out.
async fn samples(view: &View, id: Uuid) -> Option<Vec<(OperationItem, Option<FlowSummary>)>> {
    let (store, operations) = (view.store().ok()?, view.operations().ok()?);
    let read = async {
        let mut samples = Vec::with_capacity(SAMPLES);
        for item in operations.items(id, None, None, SAMPLES).await?.items {
            let flow = store.get(item.flow).await?.map(|stored| stored.summary);
            if flow.as_ref().is_none_or(|flow| view.may_see(&flow.entity)) {
                samples.push((item, flow));
            }
        }
        Ok(samples)
    };
    view.shared.number(read).await
}

fn item_state(name: &str) -> Result<ItemState, PageError> {
    let state = ItemState::ALL.into_iter().find(|state| state.as_str() == name);
    let names = || ItemState::ALL.map(ItemState::as_str).join("`, `");
    state.ok_or_else(|| PageError::invalid(format_args!("`items` is one of `{}`", names())))
}

/// The permission to run and to cancel an operation.
const fn permission(action: Action) -> Permission {
    match action {
        Action::Discard => Permission::Discard,
        _ => Permission::Flows,
    }
}

impl OneOperation {
    fn expires_at(&self) -> Option<Timestamp> {
        self.operation.prepared_at.checked_add(Operation::EXPIRES_AFTER).ok()
    }

    fn fields(&self, frame: &Frame<'_>) -> Markup {
        let operation = &self.operation;
        let mut pairs = vec![
            ("id", html! { span.id { (operation.id) } }),
            ("state", state(operation, |word| frame.live("state", word))),
            (
                "action",
                html! { (operation.action) @if let Action::Postpone(by) = operation.action { " by " (duration(by)) } },
            ),
            ("flows", text(&operation.selection)),
            ("operator", operator(operation)),
            ("prepared", time(operation.prepared_at, frame.now)),
            ("progress", progress(operation, |number| frame.live("progress", number))),
            ("result", html! { (frame.live("result", result(operation))) }),
        ];
        if let Some(ended) = operation.ended_at {
            pairs.push(("ended", time(ended, frame.now)));
        }
        if let Some(by) = &operation.cancelled_by {
            pairs.push(("cancelled by", text(by)));
        }
        fields(&pairs)
    }

    fn cancel(&self, frame: &Frame<'_>) -> Markup {
        if self.operation.state.is_ended() {
            return html! {};
        }
        frame.form(
            &format!("cancel-{}", self.operation.action.as_str()),
            permission(self.operation.action),
            &html! {
                input type="hidden" name="id" value=(self.operation.id);
                button type="submit" { "Cancel the operation" }
            },
        )
    }

    fn prepared(&self, frame: &Frame<'_>) -> Markup {
        let Operation { action, selected, older, .. } = self.operation;
        let flows = if selected == 1 { "flow" } else { "flows" };
        html! {
            p { strong {
                @match action {
                    Action::Resubmit => { "Resubmits " (selected) " dead " (flows) ": their missing steps run." }
                    Action::Discard => { "Discards " (selected) " " (flows) ": their missing steps never run." }
                    Action::Postpone(by) => { "Postpones " (selected) " queued " (flows) " by " (duration(by)) "." }
                    _ => { (action) " " (selected) " " (flows) }
                }
            } }
            p { "The list is fixed. A flow that changes before its turn is skipped." }
            @if older > 0 && action == Action::Resubmit {
                p.warning {
                    (older) " of them are older than a completed flow of their entity: their steps may bring an old state back."
                }
            }
            (self.samples(frame))
            (self.confirm(frame))
        }
    }

    fn samples(&self, frame: &Frame<'_>) -> Markup {
        let Some(samples) = &self.samples else {
            return html! { p.none { "– The flows cannot be shown: the store does not answer." } };
        };
        let row = |(item, flow): &(OperationItem, Option<FlowSummary>)| {
            let id = item.flow.to_string();
            let of = |shown: fn(&FlowSummary) -> Markup| flow.as_ref().map_or_else(|| optional(None), shown);
            vec![
                html! { a.id href=(link("flow", &[("id", &id)])) { (id) } },
                html! { @match (flow, &item.reason) {
                    (_, Some(reason)) => { "skipped: " (text(reason)) },
                    (Some(flow), None) => { (crate::page::state_badge(flow, |word| frame.live(&format!("state-{id}"), word))) },
                    (None, None) => "purged",
                } },
                of(|flow| handler_link(&flow.handler)),
                of(|flow| html! { (EntityLink(&flow.entity)) }),
            ]
        };
        let rows: Vec<_> = samples.iter().map(row).collect();
        let handlers: BTreeSet<_> =
            samples.iter().filter_map(|(_, flow)| flow.as_ref()).map(|flow| &flow.handler).collect();
        let shown = samples.len() as u64;
        html! {
            (table("The first flows of the list", &["Flow", "State", "Handler", "Entity"], &rows))
            @if self.operation.selected > shown { p { "… and " (self.operation.selected - shown) " more" } }
            @if handlers.len() > 1 { p { "Handlers of these flows: " (handlers.len()) } }
        }
    }

    /// The form that runs the operation. For one flow, that loses nothing, a click is enough.
    fn confirm(&self, frame: &Frame<'_>) -> Markup {
        let Operation { id, action, selected, .. } = self.operation;
        let permission = permission(action);
        if selected == 0 {
            return html! { p { "There is nothing to run: its list is empty." } };
        }
        let is_easy = selected == 1 && action != Action::Discard;
        let form = html! {
            input type="hidden" name="id" value=(id);
            @if is_easy {
                input type="hidden" name="number" value="1";
            } @else {
                label {
                    span { "Type " strong { (selected) } " to confirm" }
                    input.short type="text" name="number" inputmode="numeric" pattern="[0-9]+" required autocomplete="off";
                }
            }
            (environment(frame))
            button class=[(action == Action::Discard).then_some("danger")] type="submit" { (verb(action)) " " (selected) @if selected == 1 { " flow" } @else { " flows" } }
        };
        html! {
            @if let Some(expires) = self.expires_at() {
                p { "It can be confirmed until " (time(expires, frame.now)) " (" (frame.live("expires", ago(expires, frame.now))) ")." }
            }
            (frame.form(&format!("run-{}", action.as_str()), permission, &form))
            @if !frame.may(permission) { p.none { "To run it, the permission `" (permission) "` is needed." } }
        }
    }

    /// The links to the parts of the list.
    fn tabs(&self) -> Markup {
        let (operation, id) = (&self.operation, self.operation.id.to_string());
        let chosen = |state| self.items.iter().any(|items| items.state == state);
        html! {
            nav.tabs aria-label="Flows of its list" {
                @for state in ItemState::ALL {
                    a href=(link("operation", &[("id", &id), ("items", state.as_str())])) aria-current=[chosen(state).then_some("true")] {
                        (label(state)) " (" (number(operation, state)) ")"
                    }
                }
            }
        }
    }

    fn items(&self, Items { state, found }: &Items) -> Markup {
        let row = |item: &OperationItem| {
            let id = item.flow.to_string();
            vec![
                html! { a.id href=(link("flow", &[("id", &id)])) { (id) } },
                html! { (label(item.state)) },
                optional(item.reason.as_deref()),
            ]
        };
        let Some(page) = found else {
            return html! { p.none { "– The store does not answer." } };
        };
        let rows: Vec<_> = page.items.iter().map(row).collect();
        let pairs = [("id", self.operation.id.to_string()), ("items", state.to_string())];
        html! {
            (table(&format!("Flows: {}", label(*state)), &["Flow", "Result", "Reason"], &rows))
            (more("operation", &pairs, page.next.map(|next| next.to_string())))
        }
    }
}

const fn verb(action: Action) -> &'static str {
    match action {
        Action::Resubmit => "Resubmit",
        Action::Discard => "Discard",
        _ => "Postpone",
    }
}

const fn label(state: ItemState) -> &'static str {
    match state {
        ItemState::Left => "left",
        ItemState::Waiting => "not tried yet",
        ItemState::Done => "done",
        ItemState::Failed => "failed again",
        ItemState::Skipped => "skipped",
        _ => "?",
    }
}

const fn number(operation: &Operation, state: ItemState) -> u64 {
    match state {
        ItemState::Left => operation.left(),
        ItemState::Waiting => operation.waiting,
        ItemState::Done => operation.done,
        ItemState::Failed => operation.failed,
        _ => operation.skipped,
    }
}
