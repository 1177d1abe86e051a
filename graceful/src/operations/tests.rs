use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::{ENTITY, OPERATIONS, Operator, Selection, cancel, pause, prepare, resume, run, start};
use crate::{
    RelaySettings,
    backends::{
        Action, AttemptFailure, AttemptOutcome, AuditLog as _, FailureCause, FlowState, FlowStore as _,
        ItemState, Lane, Operations as _, PauseTarget, QueuedFlow, Room, SelectedFlow, memory,
    },
    pipeline::Orchestrator,
};

struct Service {
    orchestrator: Orchestrator,
    store: memory::Flows,
    audit: memory::AuditLog,
}

impl Service {
    fn new() -> Self {
        let (store, audit) = (memory::Flows::new(), memory::AuditLog::new());
        let builder = Orchestrator::builder().in_memory().flows(store.clone()).audit(audit.clone());
        Self { orchestrator: builder.relay(RelaySettings::off()).build().unwrap(), store, audit }
    }

    /// All queued flows become dead letters.
    async fn kill(&self) {
        let cause = FailureCause::new("users::update_user", "disk full");
        for claim in self.store.claim(Room::of(100), Duration::from_secs(30)).await.unwrap() {
            let failure = AttemptFailure::new(cause.clone());
            let dead = AttemptOutcome::Dead { failure, body: None };
            assert!(self.store.record_outcome(claim.claim_id(), dead).await.unwrap());
        }
    }

    async fn dead_letters(&self, ids: std::ops::Range<u128>) {
        for id in ids {
            let flow =
                QueuedFlow::new(Uuid::from_u128(id), format!("e{id}"), "", Lane::default(), Vec::new());
            self.store.enqueue(flow).await.unwrap();
        }
        self.kill().await;
    }

    async fn seen(&self, id: u128) -> SelectedFlow {
        let stored = self.store.get(Uuid::from_u128(id)).await.unwrap().unwrap().summary;
        // As from a form.
        SelectedFlow::seen(stored.id, stored.state, stored.version().to_string().parse().unwrap())
    }

    /// What the newest audit record says: whether it has the tag `unverified`, and its details.
    async fn recorded(&self) -> (bool, Value) {
        let entity = self.orchestrator.key(OPERATIONS, ENTITY);
        let record = self.audit.records(Some(&entity), 1).await.unwrap().remove(0);
        assert_eq!(record.actor.as_deref(), Some("ada"));
        let details = record.payload.map(|details| details.decode().unwrap());
        (record.tags.iter().any(|tag| tag == "unverified"), details.unwrap_or_default())
    }
}

#[tokio::test(start_paused = true)]
async fn flow_that_has_changed_since_it_was_seen_is_skipped() {
    let service = Service::new();
    service.dead_letters(1..3).await;
    let purged = SelectedFlow::seen(Uuid::max(), FlowState::Dead, "0.1".parse().unwrap());
    let seen = vec![service.seen(1).await, service.seen(2).await, purged];
    assert!(service.store.resubmit(Uuid::from_u128(2)).await.unwrap().is_done());
    service.kill().await;
    let selection = Selection::Seen(seen);
    assert_eq!(selection.to_string(), "3 ids");
    let prepared = prepare(&service.orchestrator, Action::Discard, &selection, "ada").await.unwrap();
    assert_eq!((prepared.operation.selected, prepared.samples.len()), (3, 2));
    let id = start(&service.orchestrator, prepared.operation.id).await.unwrap().id;
    let ended = run(&service.orchestrator, id, |_| ()).await.unwrap();
    assert_eq!((ended.done, ended.skipped), (1, 2));
    let skipped = service.store.items(id, Some(ItemState::Skipped), None, 10).await.unwrap().items;
    let reasons: Vec<_> = skipped.iter().map(|item| item.reason.as_deref().unwrap_or_default()).collect();
    assert_eq!(reasons, ["the flow has changed since it was selected", "no such flow"]);
}

#[tokio::test(start_paused = true)]
async fn audit_record_says_whether_the_operator_is_verified() {
    let service = Service::new();
    let (orchestrator, selection) = (&service.orchestrator, Selection::Ids(vec![Uuid::from_u128(1)]));
    for operator in [Operator::from("ada"), Operator::verified("ada")] {
        service.dead_letters(1..2).await;
        assert!(pause(orchestrator, PauseTarget::Relays, operator, "a test").await.unwrap());
        assert_eq!(service.recorded().await.0, !operator.verified);
        assert!(resume(orchestrator, PauseTarget::Relays, operator).await.unwrap());
        assert_eq!(service.recorded().await.0, !operator.verified);
        let prepared = prepare(orchestrator, Action::Resubmit, &selection, operator).await.unwrap();
        let id = start(orchestrator, prepared.operation.id).await.unwrap().id;
        let other = Operator { name: "bob", verified: !operator.verified };
        assert_eq!(cancel(orchestrator, id, other).await.unwrap().cancelled_by.as_deref(), Some("bob"));
        let (is_unverified, details) = service.recorded().await;
        assert_eq!(is_unverified, !operator.verified);
        assert_eq!(details["verified"], operator.verified);
        assert_eq!(details["cancelled_by_verified"], other.verified);
    }
}
