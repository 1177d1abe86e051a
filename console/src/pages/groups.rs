//! The groups of failures with one cause.

use graceful::{
    Code, Step,
    backends::{FailureGroup, FailureGroups, FlowFilter, FlowState},
    operations::json,
};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::{
    access::Permission,
    page::{Frame, Page, PageError, cut, filter_form, handler_link, link, optional, table, time},
    pages::{
        flows::{FIELDS, filter},
        overview::CAP,
    },
    request::{Query, View, link_to},
};

/// How many groups the page shows, the largest first.
const SHOWN: usize = 100;

/// The groups of failures of a filter.
#[derive(Debug)]
pub(crate) struct Groups {
    filter: FlowFilter,
    /// `None` if the store does not answer.
    found: Option<FailureGroups>,
}

impl Page for Groups {
    const PATH: &'static str = "groups";
    const TITLE: &'static str = "Failures";

    async fn load(view: &View, query: &mut Query) -> Result<Self, PageError> {
        let filter = view.restricted(filter(query)?)?;
        let mut found = view.shared.number(view.store()?.groups(filter.clone(), CAP)).await;
        if let Some(found) = &mut found {
            found.more |= found.groups.len() > SHOWN;
            found.groups.truncate(SHOWN);
        }
        Ok(Self { filter, found })
    }

    fn json(&self) -> Value {
        let groups =
            self.found.as_ref().map(|found| found.groups.iter().map(json::group).collect::<Vec<_>>());
        json!({ "groups": groups, "more": self.found.as_ref().map(|found| found.more) })
    }

    fn html(&self, frame: &Frame<'_>) -> Markup {
        let fields: Vec<_> = FIELDS.into_iter().filter(|(key, _)| *key != "group").collect();
        html! {
            p { "Queued and dead flows, by the cause of their last failure." }
            (filter_form("groups", &fields, &self.filter.pairs()))
            @if let Some(found) = &self.found {
                (self.table(frame, &found.groups))
                @if found.more {
                    p.none { "There may be more groups, and more flows of these: choose a narrower filter to see them." }
                }
            } @else {
                p.none { "– The store does not answer." }
            }
        }
    }
}

impl Groups {
    fn table(&self, frame: &Frame<'_>, groups: &[FailureGroup]) -> Markup {
        let acts = frame.may(Permission::Flows) || frame.may(Permission::Discard);
        let mut columns =
            vec!["Dead", "Retrying", "First", "Last", "Handler", "Step", "Code", "Error", "Example"];
        columns.extend(acts.then_some("Dead flows of the group"));
        let rows: Vec<_> = groups.iter().map(|group| self.row(frame, group)).collect();
        table("Groups of failures", &columns, &rows)
    }

    /// The page's filter, for one group and state.
    fn of(&self, group: &FailureGroup, state: Option<FlowState>) -> FlowFilter {
        let mut filter = self.filter.clone();
        filter.group = Some(group.cause.group);
        filter.state = state.or(filter.state);
        filter
    }

    fn row(&self, frame: &Frame<'_>, group: &FailureGroup) -> Vec<Markup> {
        let (cause, example) = (&group.cause, group.example.to_string());
        let number = |state: FlowState, name: &str, number: graceful::backends::Count| {
            let target = link_to("flows", self.of(group, Some(state)).pairs());
            html! { a href=(target) { (frame.live(&format!("{name}-{}", cause.group), number)) } }
        };
        vec![
            number(FlowState::Dead, "dead", group.dead),
            number(FlowState::Queued, "retrying", group.retrying),
            time(group.first, frame.now),
            time(group.last, frame.now),
            handler_link(&group.handler),
            optional(cause.step.map(Step::as_str)),
            optional(cause.code.map(Code::as_str)),
            html! {
                a href=(link_to("flows", self.of(group, None).pairs())) title="The flows of the group" {
                    (cut(&cause.error, 300))
                }
            },
            html! { a.id href=(link("flow", &[("id", &example)])) { (example) } },
            self.actions(frame, group),
        ]
    }

    /// The buttons for the dead flows of a group. What they prepare is shown before it runs.
    fn actions(&self, frame: &Frame<'_>, group: &FailureGroup) -> Markup {
        if group.dead.number == 0 {
            return html! {};
        }
        let fields = html! {
            @for (key, value) in self.of(group, Some(FlowState::Dead)).pairs() {
                input type="hidden" name=(key) value=(value);
            }
        };
        html! {
            div.actions {
                (frame.form("resubmit", Permission::Flows, &html! { (fields) button type="submit" { "Resubmit all…" } }))
                (frame.form("discard", Permission::Discard, &html! {
                    (fields)
                    button.danger type="submit" { "Discard all…" }
                }))
            }
        }
    }
}
