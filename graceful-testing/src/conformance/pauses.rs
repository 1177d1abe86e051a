//! The pauses of a store.

use std::time::Duration;

use graceful::backends::{FlowStore, Lane, PauseTarget, Room};

use super::{
    flows::{LEASE, claim, complete, enqueue, flow, numbers},
    operations::of,
};

/// Flows of handlers, each with the lane of its handler.
async fn enqueue_for<S: FlowStore>(store: &S, flows: impl IntoIterator<Item = (u128, &str, String)>) {
    for (number, handler, entity) in flows {
        let mut flow = flow(number, &entity);
        (flow.handler, flow.lane) = (handler.to_owned(), Lane::of(handler, "acme"));
        store.enqueue(flow).await.expect("a flow is stored");
    }
}

pub(super) async fn paused_relays_claim_nothing<S: FlowStore>(store: S, elapse: &impl AsyncFn(&S, Duration)) {
    let operations = of(&store);
    enqueue(&store, [(1, "a"), (2, "b")]).await;
    let running = claim(&store, 1).await.remove(0);
    assert!(operations.pause(PauseTarget::Relays, "ada \0", "why not").await.unwrap());
    assert!(!operations.pause(PauseTarget::Relays, "bob", "me too").await.unwrap(), "it is paused already");
    assert!(claim(&store, 10).await.is_empty());
    elapse(&store, 2 * LEASE).await;
    assert!(claim(&store, 10).await.is_empty(), "nor flows whose leases have expired");
    assert!(complete(&store, &running).await, "what is running goes on");
    let pauses = operations.pauses().await.unwrap();
    let [pause] = pauses.as_slice() else { panic!("{pauses:?}") };
    assert_eq!(
        (&pause.target, &*pause.operator, &*pause.reason),
        (&PauseTarget::Relays, "ada \0", "why not")
    );
    assert!(operations.resume(PauseTarget::Relays).await.unwrap());
    assert!(!operations.resume(PauseTarget::Relays).await.unwrap(), "it is not paused");
    assert_eq!(operations.pauses().await.unwrap(), []);
    assert_eq!(numbers(&claim(&store, 10).await), [2]);
}

pub(super) async fn flows_of_a_paused_handler_wait<S: FlowStore>(store: S) {
    let operations = of(&store);
    let long = format!("{}::\0'%", "handler".repeat(100));
    let flows = [(1, "pay", "a"), (2, "ship", "a"), (3, "ship", "b"), (4, &*long, "c"), (5, "pay", "d")];
    enqueue_for(&store, flows.map(|(number, handler, entity)| (number, handler, entity.to_owned()))).await;
    for (handler, behind) in [("pay", "1"), ("ship", "1"), ("other", "0")] {
        assert_eq!(operations.waiting_behind(handler, 10).await.unwrap().to_string(), behind);
    }
    for handler in ["pay", &long] {
        let target = PauseTarget::Handler(handler.to_owned());
        assert!(operations.pause(target, "ada", "a bug").await.unwrap());
    }
    assert!(operations.pause(PauseTarget::Subscriber("pay".to_owned()), "ada", "a bug").await.unwrap());
    assert_eq!(operations.pauses().await.unwrap().len(), 3);
    let claims = claim(&store, 10).await;
    assert_eq!(numbers(&claims), [3], "a later flow of an entity waits behind that of the paused handler");
    assert!(operations.resume(PauseTarget::Handler(long)).await.unwrap());
    assert_eq!(numbers(&claim(&store, 10).await), [4]);
    assert!(operations.resume(PauseTarget::Handler("pay".to_owned())).await.unwrap());
    assert_eq!(numbers(&claim(&store, 10).await), [1, 5]);
    let pauses = operations.pauses().await.unwrap();
    assert_eq!(
        pauses[0].target,
        PauseTarget::Subscriber("pay".to_owned()),
        "a pause of a subscriber stops no claim"
    );
}

/// More flows of the paused handler are due than a store must examine.
pub(super) async fn backlog_of_a_paused_handler_delays_no_other<S: FlowStore>(store: S) {
    let operations = of(&store);
    enqueue_for(&store, (0..600).map(|number| (number, "paused", format!("p{number}")))).await;
    enqueue_for(&store, (1000..1040).map(|number| (number, "other", format!("o{number}")))).await;
    assert!(operations.pause(PauseTarget::Handler("paused".to_owned()), "ada", "a bug").await.unwrap());
    let claims = store.claim(Room::of(32), LEASE).await.expect("flows can be claimed");
    assert_eq!(numbers(&claims), (1000..1032).collect::<Vec<_>>());
}
