//! Which flows an action is about.

use std::collections::HashSet;

use graceful::backends::{FlowFilter, FlowQuery, FlowState, FlowStore, FlowSummary, Uuid};

use super::{Action, described};
use crate::{
    arguments::Targets,
    exit::{Exit, Problem},
    filter,
};

/// How many flows are read at once.
const PAGE: usize = 500;

/// How many flows the confirmation shows.
pub(super) const SAMPLES: usize = 10;

/// What the arguments say.
#[derive(Debug)]
pub(super) enum Targeted {
    Ids(Vec<Uuid>),
    Filter(FlowFilter),
}

/// The flows of an action. Flows that begin to match a filter later are not among them.
#[derive(Debug)]
pub(super) struct Selection {
    /// Each with its state: a flow that changes it before the action comes to it is skipped.
    pub ids: Vec<(Uuid, FlowState)>,
    pub samples: Vec<FlowSummary>,
}

impl Targeted {
    pub(super) fn of(action: Action, Targets { words: targets, all, .. }: &Targets) -> Result<Self, Problem> {
        let (words, ids): (Vec<String>, Vec<String>) =
            targets.iter().cloned().partition(|target| target.contains('='));
        if words.is_empty() && ids.is_empty() && !all {
            return Err(Problem::refused(format_args!(
                "`{0}` needs a filter or ids; to {0} all {1} flows: --all",
                action.as_str(),
                action.states()[0]
            )));
        }
        if ids.is_empty() {
            return Self::filter(action, &words);
        }
        // A mistake in a key is reported first.
        filter::parse(None, &words)?;
        let mut seen = HashSet::new();
        let parsed = ids.iter().map(|id| {
            let wrong = || {
                let expected = "expected the id of a flow, or KEY=VALUE";
                Problem::refused(format_args!("`{id}` is neither an id nor a filter; {expected}"))
            };
            Uuid::try_parse(id).map_err(|_| wrong())
        });
        let mut ids = parsed.collect::<Result<Vec<_>, _>>()?;
        ids.retain(|id| seen.insert(*id));
        match words.is_empty() {
            true => Ok(Self::Ids(ids)),
            false => Err(Problem::refused("expected either ids or a filter, not both")),
        }
    }

    fn filter(action: Action, words: &[String]) -> Result<Self, Problem> {
        let states = action.states();
        let mut filter = filter::parse(None, words)?;
        let state = *filter.state.get_or_insert(states[0]);
        if !states.contains(&state) {
            let possible = states.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(" or ");
            return Err(Problem {
                exit: Exit::Refused,
                text: format!(
                    "`{}` applies to flows that are {possible}, not to {state} ones",
                    action.as_str()
                ),
            });
        }
        Ok(Self::Filter(filter))
    }

    pub(super) fn described(&self) -> String {
        match self {
            Self::Ids(ids) if ids.len() == 1 => format!("id {}", ids[0]),
            Self::Ids(ids) => format!("{} ids", ids.len()),
            Self::Filter(filter) => described(filter),
        }
    }

    /// Reads all pages, so that the number of flows is exact.
    pub(super) async fn fixed(&self, store: &dyn FlowStore) -> Result<Selection, Problem> {
        match self {
            Self::Ids(ids) => {
                let (mut selected, mut samples) = (Vec::new(), Vec::new());
                for id in ids {
                    let found = store.get(*id).await?.map(|stored| stored.summary);
                    // An unknown flow is skipped with this reason, whatever its state.
                    selected.push((*id, found.as_ref().map_or(FlowState::Dead, |flow| flow.state)));
                    samples.extend(found.filter(|_| samples.len() < SAMPLES));
                }
                Ok(Selection { ids: selected, samples })
            }
            Self::Filter(filter) => selected(filter, store).await,
        }
    }
}

async fn selected(filter: &FlowFilter, store: &dyn FlowStore) -> Result<Selection, Problem> {
    let (mut ids, mut samples, mut after) = (Vec::new(), Vec::new(), None);
    // A flow whose row changes meanwhile may be on two pages.
    let mut seen = HashSet::new();
    loop {
        let query = FlowQuery::new(filter.clone(), PAGE);
        let query = match after {
            Some(after) => query.continued(after).map_err(Problem::failed)?,
            None => query,
        };
        let page = store.flows(query).await?;
        for flow in page.items {
            if seen.insert(flow.id) {
                ids.push((flow.id, flow.state));
                if samples.len() < SAMPLES {
                    samples.push(flow);
                }
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(Selection { ids, samples });
        }
    }
}

impl FromIterator<FlowSummary> for Selection {
    fn from_iter<I: IntoIterator<Item = FlowSummary>>(flows: I) -> Self {
        let mut samples: Vec<_> = flows.into_iter().collect();
        let ids = samples.iter().map(|flow| (flow.id, flow.state)).collect();
        samples.truncate(SAMPLES);
        Self { ids, samples }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targeted(action: Action, words: &[&str], all: bool) -> Result<Targeted, String> {
        let targets = words.iter().map(ToString::to_string).collect();
        let targets = Targets { words: targets, all, yes: true, operator: None };
        Targeted::of(action, &targets).map_err(|problem| problem.text)
    }

    #[test]
    fn action_without_filter_needs_all() {
        let text = targeted(Action::Discard, &[], false).unwrap_err();
        assert_eq!(text, "`discard` needs a filter or ids; to discard all dead flows: --all");
        let Ok(Targeted::Filter(filter)) = targeted(Action::Discard, &[], true) else { panic!("a filter") };
        assert_eq!(filter, FlowFilter::from(FlowState::Dead));
    }

    #[test]
    fn targets_that_are_ids_and_filters_are_refused() {
        let id = Uuid::max().to_string();
        assert!(
            matches!(targeted(Action::Resubmit, &[&id, &id], false), Ok(Targeted::Ids(ids)) if ids.len() == 1)
        );
        let refused = |words: &[&str]| targeted(Action::Resubmit, words, false).unwrap_err();
        assert_eq!(refused(&[&id, "handler=pay"]), "expected either ids or a filter, not both");
        assert!(refused(&[&id, "handlr=pay"]).contains("did you mean `handler`"));
        assert!(refused(&["handler"]).contains("neither an id nor a filter"));
        assert!(refused(&["state=queued"]).contains("applies to flows that are dead"));
        assert!(targeted(Action::Discard, &["state=queued"], false).is_ok());
    }
}
