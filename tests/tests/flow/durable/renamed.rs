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
