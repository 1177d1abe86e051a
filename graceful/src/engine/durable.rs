//! Durable delivery up to the disk: from there on it is a relay's.

use smol_str::format_smolstr;

use super::{Ended, Engine, FlowReport, machine::Machine};
use crate::{Event, Step, StepError, backends::QueuedFlow};

/// Stores a flow; ready when it is on disk. Dropped before, it is stored all the same.
///
/// Where that fails, the steps run here and now, so that nothing is lost but the promise, and that is told.
pub(super) async fn store(mut engine: Engine) -> FlowReport {
    let machine = engine.machine();
    let flows = machine.orchestrator.flows().cloned();
    let stored = match (&flows, queued(machine)) {
        (Some(flows), Ok(queued)) => flows.enqueue(queued).await,
        (None, _) => Err(no_store()),
        (_, Err(error)) => Err(error),
    };
    match stored {
        Ok(()) => engine.left_to_the_relay(),
        Err(error) => {
            let machine = engine.machine();
            machine.orchestrator.not_stored(&error, &machine.flow);
            machine.go_on_here();
            engine.await
        }
    }
}

impl Engine {
    /// Stores a flow whose caller waits for that.
    pub(crate) async fn store(self) {
        store(self).await;
    }

    /// The flow is on disk.
    fn left_to_the_relay(&mut self) -> FlowReport {
        let machine = self.machine();
        machine.kept = true;
        machine.orchestrator.relay().wake();
        let report = machine.report("stored");
        self.0 = None;
        report
    }
}

/// The flow as bytes, with what is behind it.
pub(super) fn encode(machine: &Machine) -> Result<Vec<u8>, StepError> {
    machine.flow.encode(machine.behind())
}

/// What the caller's own transaction is to hold.
///
/// # Errors
/// The flow cannot be stored, or its event never sent: what else the transaction holds must not be committed.
pub(crate) fn to_insert(ended: &Ended) -> Result<QueuedFlow, StepError> {
    let mut machine = Machine::new(ended.clone());
    if machine.orchestrator.flows().is_none() {
        return Err(no_store());
    }
    let queued = queued(&mut machine)?;
    machine.failures().map_or(Ok(queued), |failures| Err(StepError::new(failures)))
}

fn no_store() -> StepError {
    StepError::new("there is no durable store")
}

/// The flow as it is stored.
fn queued(machine: &mut Machine) -> Result<QueuedFlow, StepError> {
    if !machine.is_portable() {
        return Err(StepError::new("hooks that are values cannot be found again by a relay"));
    }
    let mut body = encode(machine)?;
    if let Some(error) = too_large(machine, body.len()) {
        machine.give_up(Step::Event, error);
        body = encode(machine)?;
    }
    let flow = &machine.flow;
    Ok(QueuedFlow {
        id: flow.id,
        entity: flow.entity().to_string(),
        handler: machine.identity(),
        body,
        at: flow.at,
    })
}

/// What the envelope says beyond the flow's own record is less than this.
const ENVELOPE: usize = 1024;

/// Why the flow's event will never be sent. What the flow's record has room for, its event has, too: only a flow near the limit
/// is written twice.
fn too_large(machine: &Machine, stored: usize) -> Option<StepError> {
    let limit = machine.orchestrator.max_event_bytes();
    if stored + ENVELOPE <= limit || !machine.is_due(Step::Event) {
        return None;
    }
    let size = Event::of(&machine.flow)?.to_json().map_or(usize::MAX, |json| json.len());
    (size > limit).then(|| {
        StepError::new(format_smolstr!(
            "the event is {size} bytes on the wire, and {limit} is the limit: send less with `event(payload = …)`, or raise \
             `max_event_bytes`"
        ))
    })
}
