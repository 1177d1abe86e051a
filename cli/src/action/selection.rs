//! Which flows an action is about.

use std::collections::HashSet;

use graceful::{
    backends::{Action, Uuid},
    operations::Selection,
};

use crate::{arguments::Targets, exit::Problem, filter};

/// What the arguments say.
pub(super) fn of(
    action: Action,
    Targets { words: targets, all, .. }: &Targets,
) -> Result<Selection, Problem> {
    let (words, ids): (Vec<String>, Vec<String>) =
        targets.iter().cloned().partition(|target| target.contains('='));
    if words.is_empty() && ids.is_empty() && !all {
        return Err(Problem::refused(format_args!(
            "`{action}` needs a filter or ids; to {action} all {} flows: --all",
            action.states()[0]
        )));
    }
    if ids.is_empty() {
        return by_filter(action, &words);
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
        true => Ok(Selection::Ids(ids)),
        false => Err(Problem::refused("expected either ids or a filter, not both")),
    }
}

fn by_filter(action: Action, words: &[String]) -> Result<Selection, Problem> {
    let states = action.states();
    let mut filter = filter::parse(None, words)?;
    let state = *filter.state.get_or_insert(states[0]);
    if !states.contains(&state) {
        let possible = states.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(" or ");
        return Err(Problem::refused(format_args!(
            "`{action}` applies to flows that are {possible}, not to {state} ones"
        )));
    }
    Ok(Selection::Filter(filter))
}

#[cfg(test)]
mod tests {
    use graceful::backends::{FlowFilter, FlowState};

    use super::*;

    fn selection(action: Action, words: &[&str], all: bool) -> Result<Selection, String> {
        let targets = words.iter().map(ToString::to_string).collect();
        let targets = Targets { words: targets, all, yes: true, operator: None };
        of(action, &targets).map_err(|problem| problem.text)
    }

    #[test]
    fn action_without_filter_needs_all() {
        let text = selection(Action::Discard, &[], false).unwrap_err();
        assert_eq!(text, "`discard` needs a filter or ids; to discard all dead flows: --all");
        let Ok(Selection::Filter(filter)) = selection(Action::Discard, &[], true) else { panic!("a filter") };
        assert_eq!(filter, FlowFilter::from(FlowState::Dead));
    }

    #[test]
    fn targets_that_are_ids_and_filters_are_refused() {
        let id = Uuid::max().to_string();
        assert!(
            matches!(selection(Action::Resubmit, &[&id, &id], false), Ok(Selection::Ids(ids)) if ids.len() == 1)
        );
        let refused = |words: &[&str]| selection(Action::Resubmit, words, false).unwrap_err();
        assert_eq!(refused(&[&id, "handler=pay"]), "expected either ids or a filter, not both");
        assert!(refused(&[&id, "handlr=pay"]).contains("did you mean `handler`"));
        assert!(refused(&["handler"]).contains("neither an id nor a filter"));
        assert!(refused(&["state=queued"]).contains("applies to flows that are dead"));
        assert!(selection(Action::Discard, &["state=queued"], false).is_ok());
    }
}
