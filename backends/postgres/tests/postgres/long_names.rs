//! Names that are longer than a row of an index.

use graceful::{
    Code, Context, Delivery, OrchestrationConfig, Orchestrator, Success,
    backends::{FlowState, FlowStore as _, Inbox as _, InboxEntry, ReceivedEvent},
};
use graceful_tests::gate::until;

/// What no index can make smaller.
fn long() -> String {
    let mut dice = fastrand::Rng::with_seed(6);
    (0..10_000).map(|_| dice.alphanumeric()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn flow_with_names_of_any_length_is_stored_and_found() {
    let Some(postgres) = super::Postgres::find().await else { return };
    let store = postgres.fresh().await;
    let orchestrator =
        Orchestrator::builder().service("users").store(store.clone()).in_memory().build().unwrap();
    let (tenant, id) = (long(), long() + "id");
    let context = Context::new().with_tenant(&*tenant).with_user(long()).with_request_id(long());
    let context = context.with_correlation_id(long());
    let anonymous = OrchestrationConfig::new("user").delivery(Delivery::Durable).on(&orchestrator);
    let named = OrchestrationConfig::new("user").id(&id).cache_key(&id).delivery(Delivery::Durable);
    let named = named.on(&orchestrator);
    for config in [&anonymous, &named] {
        let success = context
            .clone()
            .scope(async { Success::wrap(Code::Ok, "user updated", "ada").orchestrate(config).await });
        let report = success.await;
        assert_eq!(report.failures().count(), 0, "{report}");
    }
    until(|| async { store.list(FlowState::Completed, 9).await.unwrap().len() == 2 }).await;
    assert_eq!(orchestrator.stats().not_stored(), 0);
    let entity = graceful::Key::new("users", Some(&tenant), "user", &id);
    let records = orchestrator.audit().unwrap().records(Some(&entity), 9).await.unwrap();
    assert_eq!((records.len(), &records[0].entity), (1, &entity));
    assert_eq!(orchestrator.metadata().unwrap().latest(&entity).await.unwrap().unwrap().score, 1);
    assert_eq!(orchestrator.nexus().unwrap().trace(&entity).await.unwrap().len(), 1);
    orchestrator.shutdown(std::time::Duration::from_secs(60)).await;
    postgres.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn event_with_names_of_any_length_is_handled_once() {
    let Some(postgres) = super::Postgres::find().await else { return };
    let store = postgres.fresh().await;
    let event = |id: &str| -> ReceivedEvent {
        let json = serde_json::json!({"specversion": "1.0", "id": id, "source": long(), "type": "t"});
        serde_json::from_value(json).unwrap()
    };
    let ids = [long(), long() + "another", "~".to_owned() + &"0".repeat(64)];
    for id in &ids {
        let entry = store.begin(&long(), &event(id)).await.unwrap();
        let InboxEntry::First(transaction) = entry else { panic!("{entry:?}") };
        store.commit(transaction).await.unwrap();
        assert!(matches!(store.begin(&long(), &event(id)).await.unwrap(), InboxEntry::Again));
    }
    postgres.clean().await;
}
