//! A flow that was stored under a former identity of its handler finds the renamed handler.

use super::*;

static SEEN: AtomicUsize = AtomicUsize::new(0);

async fn seen(_: &Flow) -> HookResult {
    SEEN.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

#[orchestrate(
    pattern = "renamed", id = id, delivery = "durable", audit = seen, name = "renamed::now", was = ["renamed::once", "renamed::before"],
)]
async fn rename(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[tokio::test]
async fn queued_flow_of_a_former_identity_runs_with_the_hooks_of_the_renamed_handler() {
    let service = Service::new().await;
    for id in 1..=3 {
        service.without_a_relay().scope(rename(id)).await.unwrap();
    }
    // As former versions of the program have stored two of them.
    let statements = "UPDATE graceful_flows SET handler = 'renamed::once' WHERE entity LIKE '%:1';
                      UPDATE graceful_flows SET handler = 'renamed::before' WHERE entity LIKE '%:2'";
    sqlx::raw_sql(statements).execute(&mut service.data().await).await.unwrap();
    let mut handlers: Vec<_> =
        service.stored(FlowState::Queued).await.into_iter().map(|stored| stored.summary.handler).collect();
    handlers.sort_unstable();
    assert_eq!(handlers, ["renamed::before", "renamed::now", "renamed::once"]);
    let _relay = service.with_a_relay();
    service.until(FlowState::Completed, 3).await;
    assert_eq!(SEEN.load(Ordering::SeqCst), 3);
}

struct Rows<Key>(Key);

impl<Key> Rows<Key> {
    #[orchestrate(pattern = "row", id = id, delivery = "durable", audit = seen_row)]
    async fn save(&self, id: u64) -> Result<u64, Code> {
        let Self(_) = self;
        Ok(id)
    }
}

static ROWS: AtomicUsize = AtomicUsize::new(0);

async fn seen_row(_: &Flow) -> HookResult {
    ROWS.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

/// An older version stored it with the generic arguments, whose names may have changed meanwhile.
#[tokio::test]
async fn queued_flow_of_a_renamed_generic_parameter_runs() {
    let service = Service::new().await;
    for id in 1..=2 {
        service.without_a_relay().scope(Rows(7_u8).save(id)).await.unwrap();
    }
    let handler = service.stored(FlowState::Queued).await[0].summary.handler.clone();
    assert_eq!(handler, "flow::durable::renamed::Rows::save");
    let statement =
        "UPDATE graceful_flows SET handler = replace(handler, 'Rows', 'Rows<K>') WHERE entity LIKE '%:1'";
    sqlx::raw_sql(statement).execute(&mut service.data().await).await.unwrap();
    let _relay = service.with_a_relay();
    service.until(FlowState::Completed, 2).await;
    assert_eq!(ROWS.load(Ordering::SeqCst), 2);
}

#[orchestrate(pattern = "kept", id = id, delivery = "durable")]
async fn kept(id: u64) -> Result<u64, Code> {
    Ok(id)
}

/// A newer process stores a flow in a format that this one does not know, beside one without a format number, of an older process.
#[tokio::test]
async fn flow_of_a_newer_format_is_left_and_one_of_an_older_format_runs() {
    let service = Service::new().await;
    for id in 1..=2 {
        service.without_a_relay().scope(kept(id)).await.unwrap();
    }
    let mut data = service.data().await;
    let newer = "UPDATE graceful_flows SET body = CAST(replace(body, '\"format\":3', '\"format\":7') AS BLOB) WHERE entity LIKE '%:1'";
    sqlx::raw_sql(newer).execute(&mut data).await.unwrap();
    // An older process stored the whole flow.
    let stored = service.stored(FlowState::Queued).await;
    let older = stored.iter().find(|stored| stored.summary.entity.ends_with(":2")).unwrap();
    let whole = format!("{{\"flow\":{},\"done\":0}}", serde_json::to_string(&older.flow().unwrap()).unwrap());
    sqlx::query("UPDATE graceful_flows SET body = ? WHERE id = ?")
        .bind(whole.into_bytes())
        .bind(older.summary.id)
        .execute(&mut data)
        .await
        .unwrap();
    let bodies = |stored: &[StoredFlow]| stored.iter().map(|stored| stored.body.clone()).collect::<Vec<_>>();
    let original = bodies(&service.stored(FlowState::Queued).await);
    assert!(original.iter().any(|body| body.starts_with(b"{\"format\":7,")), "the format is first");
    assert!(original.iter().any(|body| body.starts_with(b"{\"flow\":")));
    let relay = service.builder().relay(quick().attempts(1)).build().unwrap();
    service.until(FlowState::Completed, 1).await;
    until(async || relay.health().await.status == HealthStatus::Degraded).await;
    let left = service.stored(FlowState::Queued).await;
    assert_eq!((left.len(), left[0].summary.attempts <= 1), (1, true), "{left:?}");
    assert!(original.contains(&left[0].body), "it is not rewritten");
    assert!(service.stored(FlowState::Dead).await.is_empty());
}
