//! Pauses and their ends.

use std::collections::BTreeSet;

use graceful::{
    Orchestrator,
    backends::{FlowFilter, FlowState, Pause, PauseTarget, escaped},
    operations,
    operations::json,
};
use serde_json::{Value, json};

use crate::{
    action,
    arguments::Target,
    exit::{Exit, Problem},
    operator::Operator,
    output::{Cell, Output, note},
    read,
};

/// A pause, or the end of one, that was ordered.
#[derive(Debug)]
pub(crate) struct Order {
    target: PauseTarget,
    operator: Operator,
    /// The reason of a pause; none for its end.
    why: Option<String>,
}

impl Order {
    /// Checks the arguments.
    pub(crate) fn of(target: &Target, why: Option<&str>) -> Result<Self, Problem> {
        if why.is_some_and(|why| why.trim().is_empty()) {
            return Err(Problem::refused("`--why` has no value; say why, for those who find it paused"));
        }
        let (kind, name) = target.target.split_once('=').unwrap_or((&target.target, ""));
        let wrong = || {
            Problem::refused(format_args!(
                "`{}` is not a pause target; expected `relays`, `handler=NAME` or `subscriber=NAME`",
                target.target
            ))
        };
        let operator = Operator::of(target.operator.as_deref())?;
        Ok(Self {
            target: PauseTarget::of(kind, name).ok_or_else(wrong)?,
            operator,
            why: why.map(str::to_owned),
        })
    }

    pub(crate) async fn carry_out(
        self,
        output: &mut Output,
        orchestrator: &Orchestrator,
    ) -> Result<Exit, Problem> {
        action::writable(&**read::store(orchestrator)?).await?;
        let Self { target, operator: Operator { name }, why } = self;
        if let (Some(_), PauseTarget::Handler(handler)) = (&why, &target) {
            suspect(orchestrator, handler).await;
        }
        let before = current(orchestrator, &target).await?;
        let changed = match &why {
            Some(why) => operations::pause(orchestrator, target.clone(), &*name, why).await,
            None => operations::resume(orchestrator, target.clone(), &*name).await,
        };
        let changed = match changed {
            Ok(changed) => changed,
            Err(error) => match current(orchestrator, &target).await {
                // It was changed, and is not recorded.
                Ok(now) if now.is_some() != before.is_some() => {
                    let is_now = if now.is_some() { "paused" } else { "resumed" };
                    note(&format!("error: {is_now}, but {}", error.message()));
                    return Ok(Exit::Partly);
                }
                _ => return Err(error.into()),
            },
        };
        let text = match (&why, changed, before) {
            (Some(_), true, _) => format!("paused {target}{}", waiting(orchestrator, &target).await),
            (Some(_), false, Some(pause)) => format!("already: {}", sentence(&pause)),
            (Some(_), false, None) => format!("{target}: paused already"),
            (None, true, _) => format!("resumed {target}"),
            (None, false, _) => format!("{target}: not paused"),
        };
        match output.json {
            true => output.value(&json!({ "target": target.to_string(), "changed": changed })),
            false => output.line(&escaped(&text)),
        }
        Ok(Exit::Done)
    }
}

/// How many flows wait because of a pause, as the end of a sentence. In an emergency, a pause must not depend on a count.
async fn waiting(orchestrator: &Orchestrator, target: &PauseTarget) -> String {
    let counted = async {
        let store = read::store(orchestrator)?;
        let mut filter = FlowFilter::from(FlowState::Queued);
        Ok::<_, Problem>(match target {
            PauseTarget::Relays => format!(": {} queued flows wait", store.count(filter, read::CAP).await?),
            PauseTarget::Handler(handler) => {
                filter.handler = Some(handler.clone());
                let own = store.count(filter, read::CAP).await?;
                let behind = read::operations(orchestrator)?.waiting_behind(handler, read::CAP).await?;
                format!(": {own} of its queued flows wait, and {behind} flows of other handlers behind them")
            }
            _ => String::new(),
        })
    };
    counted.await.unwrap_or_else(|problem| {
        note(&format!("note: the flows that wait could not be counted: {}", problem.text));
        String::new()
    })
}

/// The pause of a target.
async fn current(orchestrator: &Orchestrator, target: &PauseTarget) -> Result<Option<Pause>, Problem> {
    let pauses = read::operations(orchestrator)?.pauses().await?;
    Ok(pauses.into_iter().find(|pause| pause.target == *target))
}

/// Says if no relay that is alive knows a handler: its name may be wrong.
async fn suspect(orchestrator: &Orchestrator, handler: &str) {
    let Some(store) = orchestrator.flows() else { return };
    let Ok(relays) = store.relays().await else { return };
    if relays.is_empty() || relays.iter().any(|relay| relay.info.knows(handler)) {
        return;
    }
    let known: BTreeSet<_> = relays.iter().flat_map(|relay| &relay.info.handlers).collect();
    let near = known.iter().find(|known| known.ends_with(&format!("::{handler}")));
    let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    note(&format!("note: no relay that is alive knows the handler {}{}", escaped(handler), escaped(&near)));
}

/// The text of a pause, for people.
pub(crate) fn sentence(pause: &Pause) -> String {
    let Pause { target, operator, reason, at, .. } = pause;
    format!("{target} paused by {operator} since {}: {reason}", json::time(*at))
}

/// Writes what is paused to the standard error, since whoever reads a list should know.
pub(crate) async fn note_all(orchestrator: &Orchestrator) {
    if let Ok(operations) = read::operations(orchestrator)
        && let Ok(pauses) = operations.pauses().await
    {
        for pause in &pauses {
            note(&format!("note: {}", escaped(&sentence(pause))));
        }
    }
}

pub(crate) async fn list(output: &mut Output, orchestrator: &Orchestrator) -> Result<Exit, Problem> {
    let pauses = read::operations(orchestrator)?.pauses().await?;
    if output.json {
        output.value(&json!({ "pauses": pauses.iter().map(json::pause).collect::<Vec<Value>>() }));
        return Ok(Exit::Done);
    }
    let row = |pause: &Pause| {
        let (target, at) = (Cell::new(&pause.target), Cell::new(json::time(pause.at)));
        [target, at, Cell::new(&pause.operator), Cell::new(&pause.reason)]
    };
    output.table(["TARGET", "SINCE", "OPERATOR", "REASON"], &pauses.iter().map(row).collect::<Vec<_>>());
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_target_is_refused() {
        let order = |target: &str| {
            let target = Target { target: target.to_owned(), operator: Some("ada".to_owned()) };
            Order::of(&target, Some("a bug")).map(|order| order.target).map_err(|problem| problem.text)
        };
        assert_eq!(order("relays"), Ok(PauseTarget::Relays));
        assert_eq!(order("handler=a=b"), Ok(PauseTarget::Handler("a=b".to_owned())));
        for wrong in ["", "relay", "handler", "handler=", "relays=all", "handlr=pay"] {
            assert!(order(wrong).unwrap_err().contains("expected `relays`"), "{wrong}");
        }
    }
}
