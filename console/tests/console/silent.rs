//! A store that fails, or never answers.

use std::time::Duration;

use graceful::{
    Orchestrator, RelaySettings, StepError,
    backends::{
        ActionResult, AttemptOutcome, Claim, ClaimId, Count, FailedAttempt, FailureGroups, FlowFilter,
        FlowQuery, FlowState, FlowStore, FlowSummary, ItemState, Lag, LiveRelay, NewOperation, Operation,
        OperationClaim, OperationItem, OperationState, Operations, Page, Pause, PauseTarget, QueuedFlow,
        Reply, Room, SelectedFlow, StoredFlow, Uuid,
    },
};

/// The store.
#[derive(Clone, Copy, Debug)]
pub enum Silent {
    Fails,
    Hangs,
}

impl Silent {
    pub fn orchestrator(self) -> Orchestrator {
        let builder = Orchestrator::builder().service("orders").in_memory().flows(self);
        builder.relay(RelaySettings::off()).build().unwrap()
    }

    fn reply<T: Send + 'static>(self) -> Reply<T> {
        match self {
            Self::Fails => Reply::failed(StepError::new("the disk is gone")),
            Self::Hangs => Reply::pending(std::future::pending()),
        }
    }
}

macro_rules! silent {
    ($($method:ident($($name:ident: $argument:ty),*) -> $answer:ty;)*) => {$(
        fn $method(&self, $($name: $argument),*) -> Reply<$answer> {
            $(let _ = $name;)*
            self.reply()
        }
    )*};
}

impl FlowStore for Silent {
    silent! {
        enqueue(a: QueuedFlow) -> ();
        claim(a: Room, b: Duration) -> Vec<Claim>;
        extend(a: Vec<ClaimId>, b: Duration) -> ();
        record_outcome(a: ClaimId, b: AttemptOutcome) -> bool;
        get(a: Uuid) -> Option<StoredFlow>;
        flows(a: FlowQuery) -> Page<FlowSummary>;
        count(a: FlowFilter, b: u64) -> Count;
        groups(a: FlowFilter, b: u64) -> FailureGroups;
        attempts(a: Uuid) -> Vec<FailedAttempt>;
        lag(a: u64) -> Lag;
        resubmit(a: Uuid) -> ActionResult;
        discard(a: Uuid, b: FlowState) -> ActionResult;
        postpone(a: Uuid, b: Duration) -> ActionResult;
        purge(a: FlowState, b: Duration) -> u64;
        relays() -> Vec<LiveRelay>;
        probe() -> ();
        is_read_only() -> bool;
    }

    fn operations(&self) -> Option<&dyn Operations> {
        Some(self)
    }
}

impl Operations for Silent {
    silent! {
        secret(a: &str) -> Vec<u8>;
        pauses() -> Vec<Pause>;
        pause(a: PauseTarget, b: &str, c: &str) -> bool;
        resume(a: PauseTarget) -> bool;
        waiting_behind(a: &str, b: u64) -> Count;
        prepare(a: NewOperation) -> ();
        select(a: Uuid, b: Vec<SelectedFlow>) -> ();
        fix(a: Uuid) -> Option<Operation>;
        start(a: Uuid) -> Option<Operation>;
        cancel(a: Uuid, b: &str, c: bool) -> Option<Operation>;
        claim_operation(a: Option<Uuid>, b: Duration) -> Option<OperationClaim>;
        advance(a: OperationClaim, b: Duration, c: usize) -> Option<Operation>;
        skip_next(a: OperationClaim, b: &str) -> Option<Operation>;
        end(a: OperationClaim, b: OperationState) -> bool;
        record(a: OperationClaim) -> bool;
        operation(a: Uuid) -> Option<Operation>;
        list(a: Option<Uuid>, b: usize) -> Page<Operation, Uuid>;
        operations_on(a: Uuid) -> Vec<Operation>;
        items(a: Uuid, b: Option<ItemState>, c: Option<Uuid>, d: usize) -> Page<OperationItem, Uuid>;
        purge_operations(a: Duration) -> u64;
    }
}
