//! The list of flows.

use graceful::{
    backends::{Action, FlowCursor, FlowFilter, FlowQuery, FlowState, FlowSummary, Page as ListPage},
    operations::json,
};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::{
    access::Permission,
    actions::seen_field,
    page::{
        EntityLink, Frame, Page, PageError, cut, filter_form, flow_link, handler_link, link, more, optional,
        state_badge, table, time,
    },
    request::{Query, View, link_to},
};

/// How many flows one page shows.
const LIMIT: usize = 50;

/// A page of flows, the newest first.
#[derive(Debug)]
pub(crate) struct Flows {
    filter: FlowFilter,
    found: ListPage<FlowSummary>,
}

impl Page for Flows {
    const PATH: &'static str = "flows";
    const TITLE: &'static str = "Flows";

    async fn load(view: &View, query: &mut Query) -> Result<Self, PageError> {
        let after: Option<FlowCursor> = query.take_parsed("after")?;
        let filter = view.restricted(filter(query)?)?;
        let mut page = FlowQuery::new(filter.clone(), LIMIT);
        if let Some(after) = after {
            page = page.continued(after).map_err(PageError::invalid)?;
        }
        Ok(Self { filter, found: view.store()?.flows(page).await? })
    }

    fn json(&self) -> Value {
        let flows: Vec<_> = self.found.items.iter().map(json::flow).collect();
        json!({ "flows": flows, "next": self.found.next.as_ref().map(ToString::to_string) })
    }

    fn html(&self, frame: &Frame<'_>) -> Markup {
        let pairs = self.filter.pairs();
        let rows: Vec<_> = self.found.items.iter().map(|flow| row(frame, flow)).collect();
        let columns = ["Tick", "State", "Flow", "Stored", "Handler", "Entity", "Attempts", "Last error"];
        html! {
            (states(&self.filter))
            (filter_form("flows", &FIELDS, &pairs))
            @if frame.may(Permission::Flows) || frame.may(Permission::Discard) {
                form method="post" action="act/resubmit" {
                    (table("Flows", &columns, &rows))
                    (chosen_actions(frame))
                }
                (actions_on_all(frame, &self.filter))
            } @else {
                (table("Flows", &columns, &rows))
            }
            (more("flows", &pairs, self.found.next.as_ref().map(ToString::to_string)))
        }
    }
}

/// Takes the filter from what is left of a query.
pub(crate) fn filter(query: &mut Query) -> Result<FlowFilter, PageError> {
    FlowFilter::parse(query.take_rest()).map_err(PageError::invalid)
}

fn row(frame: &Frame<'_>, flow: &FlowSummary) -> Vec<Markup> {
    let id = flow.id.to_string();
    let seconds = flow.stored_at.as_second();
    let moment = |second: i64| {
        graceful::backends::Timestamp::from_second(second).map_or_else(|_| String::new(), |at| at.to_string())
    };
    let (since, until) = (moment(seconds), moment(seconds + 1));
    vec![
        html! {
            @if frame.token().is_some() {
                input type="checkbox" name="flow" value=(seen_field(flow)) aria-label={ "Select flow " (id) };
            }
        },
        state_badge(flow, |word| frame.live(&format!("state-{id}"), word)),
        flow_link(flow.id),
        html! { a href=(link("flows", &[("since", &since), ("until", &until)])) { (time(flow.stored_at, frame.now)) } },
        handler_link(&flow.handler),
        html! { (EntityLink(&flow.entity)) },
        html! { (flow.attempts) },
        cause(flow),
    ]
}

/// The last error, and the step that failed.
pub(crate) fn cause(flow: &FlowSummary) -> Markup {
    let Some(cause) = &flow.failure else { return optional(None) };
    html! {
        a href=(link("flows", &[("group", &cause.group.to_string())])) title="Flows that failed for the same reason" {
            (cut(&cause.error, 160))
        }
    }
}

fn states(filter: &FlowFilter) -> Markup {
    let link_of = |state: Option<FlowState>| {
        let mut other = filter.clone();
        other.state = state;
        link_to("flows", other.pairs())
    };
    html! {
        nav.tabs aria-label="States" {
            a href=(link_of(None)) aria-current=[filter.state.is_none().then_some("true")] { "all" }
            @for state in FlowState::ALL {
                a href=(link_of(Some(state))) aria-current=[(filter.state == Some(state)).then_some("true")] { (state) }
            }
        }
    }
}

/// What the fields of the filter expect.
pub(super) const FIELDS: [(&str, &str); 10] = [
    ("handler", "users::update_user"),
    ("entity", "users::user:42"),
    ("tenant", ""),
    ("pattern", "user"),
    ("code", "UNAVAILABLE"),
    ("step", "event"),
    ("group", ""),
    ("text", "a part of the error"),
    ("since", "2h or 2026-01-31T10:00:00Z"),
    ("until", "2h or 2026-01-31T10:00:00Z"),
];

/// The buttons for the ticked flows. Each sends the form to an action of its own.
fn chosen_actions(frame: &Frame<'_>) -> Markup {
    html! {
        input type="hidden" name="token" value=[frame.token()];
        fieldset.actions {
            legend { "Ticked flows" }
            @if frame.may(Permission::Flows) {
                button type="submit" formaction="act/resubmit" { "Resubmit…" }
                button type="submit" formaction="act/postpone" { "Postpone by" }
                label { input.short type="number" name="minutes" min="1" value="60" aria-label="Minutes"; " min" }
            }
            @if frame.may(Permission::Discard) {
                button.danger type="submit" formaction="act/discard" { "Discard…" }
            }
        }
    }
}

/// The buttons for all flows of the filter.
pub(crate) fn actions_on_all(frame: &Frame<'_>, filter: &FlowFilter) -> Markup {
    let pairs = filter.pairs();
    let is_possible = |action: Action| filter.states().iter().any(|state| can(action, *state));
    let fields = html! {
        @for (key, value) in &pairs { input type="hidden" name=(key) value=(value); }
        @if pairs.is_empty() { input type="hidden" name="all" value="yes"; }
    };
    html! {
        fieldset.actions {
            legend { "All flows of this filter" }
            @if is_possible(Action::Resubmit) {
                (frame.form("resubmit", Permission::Flows, &html! { (fields) button type="submit" { "Resubmit all…" } }))
            }
            @if is_possible(Action::Postpone(std::time::Duration::ZERO)) {
                (frame.form("postpone", Permission::Flows, &html! {
                    (fields)
                    button type="submit" { "Postpone all by" }
                    label { input.short type="number" name="minutes" min="1" value="60" aria-label="Minutes"; " min" }
                }))
            }
            @if is_possible(Action::Discard) {
                (frame.form("discard", Permission::Discard, &html! {
                    (fields)
                    button.danger type="submit" { "Discard all…" }
                }))
            }
        }
    }
}

/// Whether an action can change flows in this state.
pub(crate) const fn can(action: Action, state: FlowState) -> bool {
    match action {
        Action::Resubmit => matches!(state, FlowState::Dead),
        Action::Postpone(_) => matches!(state, FlowState::Queued),
        _ => matches!(state, FlowState::Queued | FlowState::Dead),
    }
}
