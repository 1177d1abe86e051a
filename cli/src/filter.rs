//! Filters as arguments: `key=value`.

use std::time::Duration;

use graceful::backends::{AuditFilter, FlowFilter, FlowState, IncidentFilter, Moment};

use crate::exit::Problem;

/// Parses the words of a filter, after the state that a subcommand implies.
pub(crate) fn parse(state: Option<FlowState>, words: &[String]) -> Result<FlowFilter, Problem> {
    let mut all: Vec<_> = state.map(|state| ("state", state.as_str())).into_iter().collect();
    all.extend(pairs(words, &FlowFilter::KEYS)?);
    FlowFilter::parse(all).map_err(Problem::refused)
}

/// Parses the words of a filter of audit records.
pub(crate) fn of_audit(words: &[String]) -> Result<AuditFilter, Problem> {
    AuditFilter::parse(pairs(words, &AuditFilter::KEYS)?).map_err(Problem::refused)
}

/// Parses the words of a filter of open alerts or review jobs.
pub(crate) fn of_incidents(words: &[String]) -> Result<IncidentFilter, Problem> {
    IncidentFilter::parse(pairs(words, &IncidentFilter::KEYS)?).map_err(Problem::refused)
}

fn pairs<'w>(words: &'w [String], keys: &[&str]) -> Result<Vec<(&'w str, &'w str)>, Problem> {
    let pair = |word: &'w String| {
        word.split_once('=').ok_or_else(|| {
            let keys = keys.join(", ");
            Problem::refused(format_args!(
                "`{word}` is not a filter; expected KEY=VALUE with one of the keys {keys}"
            ))
        })
    };
    words.iter().map(pair).collect()
}

/// Parses a duration in the form of the filter `since`.
pub(crate) fn duration(text: &str) -> Result<Duration, Problem> {
    match FlowFilter::parse([("since", text)]).map(|filter| filter.since) {
        Ok(Some(Moment::Ago(time))) => Ok(time),
        _ => Err(Problem::refused(format_args!(
            "`{text}` is not a time; expected one such as `2h` or `30min`"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filter_with_a_mistake_is_refused() {
        let refused = |word: &str| parse(Some(FlowState::Dead), &[word.to_owned()]).unwrap_err().text;
        assert_eq!(refused("handlr=pay"), "`handlr` is not a filter; did you mean `handler`?");
        assert_eq!(refused("handler="), "the filter `handler` has no value");
        assert_eq!(refused("state=queued"), "the filter `state` is given twice");
        assert!(refused("dead").contains("expected KEY=VALUE"));
        let of_audit = |word: &str| super::of_audit(&[word.to_owned()]).map_err(|problem| problem.text);
        assert_eq!(of_audit("acter=ada").unwrap_err(), "`acter` is not a filter; did you mean `actor`?");
        assert!(
            of_audit("handler=pay")
                .unwrap_err()
                .ends_with("the filters are actor, entity, tenant, since, until")
        );
        assert!(of_audit("ada").unwrap_err().contains("keys actor, entity, tenant, since, until"));
        let of_incidents =
            |word: &str| super::of_incidents(&[word.to_owned()]).map_err(|problem| problem.text);
        assert_eq!(
            of_incidents("tenat=acme").unwrap_err(),
            "`tenat` is not a filter; did you mean `tenant`?"
        );
        assert_eq!(of_incidents("entity=").unwrap_err(), "the filter `entity` has no value");
        assert_eq!(of_incidents("tenant=").unwrap().tenant.as_deref(), Some(""));
        assert_eq!(parse(None, &["text=a=b".to_owned()]).unwrap().text.as_deref(), Some("a=b"));
    }

    #[test]
    fn duration_that_is_a_point_in_time_is_refused() {
        assert_eq!(duration("90min").unwrap(), Duration::from_secs(5400));
        for wrong in ["2026-01-31T10:00:00Z", "", "-2h", "soon"] {
            duration(wrong).unwrap_err();
        }
    }
}
