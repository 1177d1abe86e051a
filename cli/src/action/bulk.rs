//! Acts on flow after flow, each in a transaction of its own.

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use graceful::backends::{ActionResult, FlowState, FlowStore, Uuid};
use serde_json::{Value, json};

use super::{Action, selection::Targeted};
use crate::{exit::Exit, output::note};

/// After so many failures in a row the store is broken, not a flow.
const FAILURES: usize = 100;

/// After how many flows the progress is shown.
const PROGRESS: usize = 500;

/// Whether the operator has pressed Ctrl-C.
#[derive(Debug, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on Ctrl-C does not end the process.
    pub(super) fn start() -> Self {
        let interrupt = Self::default();
        let pressed = Arc::clone(&interrupt.0);
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                pressed.store(true, Ordering::Relaxed);
            }
        });
        interrupt
    }

    fn is_pressed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why an action has ended before its last flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Interrupted,
    Failures,
}

impl Stop {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::Failures => "100 failures in a row",
        }
    }
}

/// What an action has done.
#[derive(Debug)]
pub(super) struct Tally {
    pub selected: usize,
    pub done: usize,
    pub skipped: Vec<(Uuid, ActionResult)>,
    pub failed: Vec<(Uuid, String)>,
    pub stop: Option<Stop>,
}

pub(super) async fn run(
    action: Action,
    store: &dyn FlowStore,
    ids: &[(Uuid, FlowState)],
    interrupt: &Interrupt,
) -> Tally {
    let mut tally =
        Tally { selected: ids.len(), done: 0, skipped: Vec::new(), failed: Vec::new(), stop: None };
    let mut in_a_row = 0;
    for (place, (id, state)) in ids.iter().enumerate() {
        if place > 0 && place % PROGRESS == 0 {
            note(&format!("{}: {place} of {}", action.as_str(), ids.len()));
        }
        // Lets the task run that waits for Ctrl-C, even if every reply is ready at once.
        tokio::task::yield_now().await;
        if interrupt.is_pressed() {
            tally.stop = Some(Stop::Interrupted);
            break;
        }
        match action.on(store, *id, *state).await {
            Ok(ActionResult::Done) => tally.done += 1,
            Ok(skipped) => tally.skipped.push((*id, skipped)),
            Err(error) => {
                tally.failed.push((*id, error.message().to_owned()));
                in_a_row += 1;
                if in_a_row == FAILURES {
                    tally.stop = Some(Stop::Failures);
                    break;
                }
                continue;
            }
        }
        in_a_row = 0;
    }
    tally
}

impl Tally {
    fn left(&self) -> usize {
        self.selected - self.done - self.skipped.len() - self.failed.len()
    }

    pub(super) fn exit(&self) -> Exit {
        match (self.done, self.skipped.is_empty() && self.failed.is_empty() && self.stop.is_none()) {
            (_, true) => Exit::Done,
            (0, _) if !self.failed.is_empty() && self.skipped.is_empty() => Exit::Failed,
            _ => Exit::Partly,
        }
    }

    pub(super) fn sentence(&self, action: Action) -> String {
        let mut text = format!("{} {} of {} flows", action.past(), self.done, self.selected);
        for (number, what) in
            [(self.skipped.len(), "skipped"), (self.failed.len(), "failed"), (self.left(), "left")]
        {
            if number > 0 {
                let _ = write!(text, ", {number} {what}");
            }
        }
        if let Some(stop) = self.stop {
            let _ = write!(text, " ({})", stop.as_str());
        }
        text
    }

    pub(super) fn to_json(&self, action: Action, targeted: &Targeted) -> Value {
        let skipped =
            self.skipped.iter().map(|(id, why)| json!({ "id": id.to_string(), "reason": why.to_string() }));
        let failed = self.failed.iter().map(|(id, error)| json!({ "id": id.to_string(), "error": error }));
        let filter = match targeted {
            Targeted::Ids(_) => Value::Null,
            Targeted::Filter(filter) => filter.to_string().into(),
        };
        json!({
            "action": action.as_str(),
            "filter": filter,
            "selected": self.selected,
            "done": self.done,
            "skipped": skipped.collect::<Vec<Value>>(),
            "failed": failed.collect::<Vec<Value>>(),
            "left": self.left(),
            "stopped": self.stop.map(Stop::as_str),
        })
    }
}

#[cfg(test)]
mod tests {
    use graceful::backends::{Lane, QueuedFlow, memory};

    use super::*;

    fn dead(number: u128) -> Vec<(Uuid, FlowState)> {
        (1..=number).map(|id| (Uuid::from_u128(id), FlowState::Dead)).collect()
    }

    #[tokio::test]
    async fn flow_that_was_resubmitted_after_its_selection_is_not_discarded() {
        let store = memory::Flows::new();
        store
            .enqueue(QueuedFlow::new(Uuid::from_u128(1), "e", "", Lane::default(), Vec::new()))
            .await
            .unwrap();
        let tally = run(Action::Discard, &store, &dead(1), &Interrupt::default()).await;
        assert_eq!(tally.skipped, [(Uuid::from_u128(1), ActionResult::Refused(FlowState::Queued))]);
    }

    #[tokio::test]
    async fn interrupted_action_leaves_the_other_flows() {
        let (store, interrupt) = (memory::Flows::new(), Interrupt::default());
        interrupt.0.store(true, Ordering::Relaxed);
        let tally = run(Action::Discard, &store, &dead(3), &interrupt).await;
        assert_eq!((tally.left(), tally.stop, tally.exit()), (3, Some(Stop::Interrupted), Exit::Partly));
        assert_eq!(tally.sentence(Action::Discard), "discarded 0 of 3 flows, 3 left (interrupted)");
    }

    #[tokio::test]
    async fn skipped_flows_are_counted_with_their_reason() {
        let tally = run(Action::Resubmit, &memory::Flows::new(), &dead(2), &Interrupt::default()).await;
        assert_eq!((tally.skipped.len(), tally.exit()), (2, Exit::Partly));
        let shown = tally.to_json(Action::Resubmit, &Targeted::Ids(vec![Uuid::nil()]));
        assert_eq!(shown["skipped"][0]["reason"], "no such flow");
    }
}
