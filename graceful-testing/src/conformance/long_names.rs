//! Names that are longer than a row of an index. Two of them differ at their ends only.

use std::{sync::Arc, time::Duration};

use graceful::{
    __private010::Sample,
    Code, Context, Flow, Severity,
    backends::{
        Alerter, AttemptOutcome, AuditLog, FlowState, FlowStore, Inbox, InboxEntry, IncidentFilter, Lane,
        MetadataStore, Nexus, QueuedFlow, ReceivedEvent, Room, Scheduler,
    },
};

use super::call;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// What no index can make smaller.
fn long() -> String {
    let mut dice = fastrand::Rng::with_seed(6);
    (0..10_000).map(|_| dice.alphanumeric()).collect()
}

/// Two entities.
fn flows(code: Code) -> [Arc<Flow>; 2] {
    let context = Context::new().tenant(long()).user(long()).request_id(long());
    let context = context.correlation_id(long());
    ["1", "2"]
        .map(|end| Sample::new(&(long() + end), code, 1).context(context.clone()).handler(long()).flow())
}

pub(super) async fn flows_are_stored_whole<S: FlowStore>(store: S) {
    // As the pipeline names it: each part has a bound.
    let flows = flows(Code::Ok).map(|flow| {
        QueuedFlow::new(flow.id(), flow.entity().to_string(), long(), Lane::default(), Vec::new())
    });
    for flow in &flows {
        store.enqueue(flow.clone()).await.expect("a flow is stored");
    }
    let claims = store.claim(Room::of(9), HOUR).await.expect("flows can be claimed");
    assert_eq!(claims.len(), 2, "each of another entity");
    for claim in claims {
        assert_eq!(claim.handler, long());
        assert!(
            store
                .record_outcome(claim.claim_id(), AttemptOutcome::Completed)
                .await
                .expect("an outcome is recorded")
        );
    }
    for flow in flows {
        let stored = store.get(flow.id).await.expect("a flow is found").expect("the flow exists").summary;
        assert_eq!(
            (stored.state, stored.entity, stored.handler),
            (FlowState::Completed, flow.entity, flow.handler)
        );
    }
}

pub(super) async fn entities_have_metadata<S: MetadataStore>(store: S) {
    let flows = flows(Code::Ok);
    for flow in &flows {
        store.record(flow).await.expect("a state is recorded");
    }
    for flow in &flows {
        let latest = store.latest(&flow.entity()).await.expect("a state is found").expect("the state exists");
        assert_eq!((latest.state, latest.score), (flow.id(), 1));
    }
}

pub(super) async fn entities_have_jobs<S: Scheduler>(store: S) {
    let flows = flows(Code::Internal);
    for flow in &flows {
        store.open(flow, HOUR).await.expect("a job is opened");
    }
    store.complete(&flows[0].incident()).await.expect("a job is completed");
    let jobs = store.jobs(IncidentFilter::default(), None, 9).await.expect("jobs are listed").items;
    assert_eq!((jobs.len(), &jobs[0].entity), (1, &flows[1].entity()));
}

pub(super) async fn entities_and_calls_are_traced<S: Nexus>(store: S) {
    let [first, second] = flows(Code::Ok);
    for flow in [&first, &second, &call(&long(), 1)] {
        store.register(flow).await.expect("a use is registered");
    }
    for flow in [&first, &second] {
        let trace = store.trace(&flow.entity()).await.expect("a trace is read");
        assert_eq!((trace.len(), trace[0].flow), (1, flow.id()));
    }
}

pub(super) async fn entities_are_audited<S: AuditLog>(store: S) {
    let flows = flows(Code::Ok);
    for flow in &flows {
        store.append(flow).await.expect("a record is appended");
    }
    for flow in &flows {
        let records = store.records(Some(&flow.entity()), 9).await.expect("records are read");
        assert_eq!((records.len(), &records[0].entity), (1, &flow.entity()));
    }
}

pub(super) async fn entities_have_alerts<S: Alerter>(store: S) {
    let flows = flows(Code::Internal);
    for flow in &flows {
        store.fire(flow, Severity::Error).await.expect("an alert fires");
    }
    store.resolve(&flows[0]).await.expect("an alert is resolved");
    let open = store.open(IncidentFilter::default(), None, 9).await.expect("open alerts are listed").items;
    assert_eq!((open.len(), &open[0].entity), (1, &flows[1].entity()));
}

pub(super) async fn events_are_handled_once<I: Inbox>(inbox: I) {
    let event = |id: &str| -> ReceivedEvent {
        let json = serde_json::json!({"specversion": "1.0", "id": id, "source": long(), "type": "t"});
        serde_json::from_value(json).expect("it is an event")
    };
    // The last could be taken for what is in the place of a long one.
    for id in [long(), long() + "another", "~".to_owned() + &"0".repeat(64)] {
        match inbox.begin(&long(), &event(&id)).await.expect("an event is noted") {
            InboxEntry::First(transaction) => inbox.commit(transaction).await.expect("it is handled"),
            InboxEntry::Again => panic!("it was not handled: {id}"),
        }
        let entry = inbox.begin(&long(), &event(&id)).await.expect("an event is noted");
        assert!(matches!(entry, InboxEntry::Again));
    }
}
