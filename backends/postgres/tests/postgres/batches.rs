//! Calls that arrive while a statement is under way are written together by the next statement.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use graceful::{
    StepError, StepErrorKind,
    backends::{FlowStore as _, Lane, QueuedFlow, Reply, Uuid},
};
use graceful_postgres::Store;
use graceful_tests::{
    Link,
    gate::{awaited, until},
};

use super::{
    Postgres,
    locked::{Locked, World},
    url,
};

impl World {
    async fn ids(&self) -> Vec<u128> {
        let query = sqlx::query_scalar("SELECT id FROM graceful_flows ORDER BY seq");
        let ids: Vec<Uuid> = query.fetch_all(&mut *self.looking.lock().await).await.unwrap();
        ids.into_iter().map(|id| id.as_u128()).collect()
    }

    /// Calls for these flows while the statement of flow 0 waits for the lock: then they are the next batch.
    async fn calls_behind(&self, flows: impl IntoIterator<Item = QueuedFlow>) -> (Locked, Vec<Reply<()>>) {
        let locked = self.lock().await;
        let mut replies = vec![self.store.enqueue(flow(0))];
        self.until_waiting(1).await;
        replies.extend(flows.into_iter().map(|flow| self.store.enqueue(flow)));
        (locked, replies)
    }
}

fn flow(id: u128) -> QueuedFlow {
    of_entity(id, format!("entity {id}"))
}

fn of_entity(id: u128, entity: impl Into<String>) -> QueuedFlow {
    QueuedFlow::new(Uuid::from_u128(id), entity, "h", Lane::default(), id.to_string().into_bytes())
}

/// No index accepts it, since it can hardly be compressed.
fn too_long() -> String {
    (0..12_000).map(|_| fastrand::alphanumeric()).collect()
}

async fn all(replies: Vec<Reply<()>>) -> Vec<Result<(), StepError>> {
    let mut answers = Vec::new();
    for reply in replies {
        answers.push(awaited(reply).await);
    }
    answers
}

#[test(requires(Postgres))]
async fn calls_during_a_statement_are_the_next_batch_in_the_order_of_the_calls() {
    let world = World::new().await;
    // Of two entities, and with ids in an order of their own.
    let ids = [7, 3, 9, 1, 8, 2];
    let (locked, replies) =
        world.calls_behind(ids.map(|id| of_entity(id, format!("entity {}", id % 2)))).await;
    locked.release().await;
    assert!(all(replies).await.iter().all(Result::is_ok));
    assert_eq!(world.batches().await, [1, 6]);
    assert_eq!(world.ids().await, [0, 7, 3, 9, 1, 8, 2]);
    world.clean().await;
}

#[test(requires(Postgres))]
async fn lone_call_is_written_at_once_by_the_plain_statement() {
    let world = World::new().await;
    world.proxy.record();
    for id in 0..3 {
        world.store.enqueue(flow(id)).await.unwrap();
    }
    let sent = String::from_utf8_lossy(&world.proxy.recorded()).into_owned();
    assert!(sent.contains("INSERT INTO graceful_flows") && !sent.contains("unnest"), "{sent}");
    assert_eq!(world.batches().await, [1, 1, 1]);
    world.clean().await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn reply_is_ready_only_after_the_commit() {
    let world = World::new().await;
    let (locked, replies) = world.calls_behind((1..=20).map(flow)).await;
    let mut calls = Vec::new();
    for (id, reply) in replies.into_iter().enumerate() {
        let mut looking = world.postgres.connection(&world.schema).await;
        calls.push(tokio::spawn(async move {
            reply.await.unwrap();
            let query = "SELECT EXISTS (SELECT FROM graceful_flows WHERE id = $1)";
            let query = sqlx::query_scalar::<_, bool>(query).bind(Uuid::from_u128(id as u128));
            query.fetch_one(&mut looking).await.unwrap()
        }));
    }
    assert!(calls.iter().all(|call| !call.is_finished()), "the statement waits for the lock");
    locked.release().await;
    for call in calls {
        assert!(awaited(call).await.unwrap(), "another session sees the row");
    }
    world.clean().await;
}

#[test(requires(Postgres))]
async fn known_id_is_stored_once_and_unchanged() {
    let world = World::new().await;
    let again =
        |body: &[u8]| QueuedFlow::new(Uuid::from_u128(1), "another", "h", Lane::default(), body.to_vec());
    let mut stored_before = flow(3);
    stored_before.id = Uuid::nil();
    let (locked, replies) = world.calls_behind([flow(1), again(b"second"), flow(2), stored_before]).await;
    locked.release().await;
    assert!(all(replies).await.iter().all(Result::is_ok));
    assert_eq!(world.ids().await, [0, 1, 2]);
    for id in 0..3 {
        let stored = world.store.get(Uuid::from_u128(id)).await.unwrap().unwrap();
        assert_eq!(stored.body, id.to_string().into_bytes());
    }
    world.clean().await;
}

#[test(requires(Postgres))]
async fn row_that_the_server_refuses_fails_alone() {
    let world = World::new().await;
    let mut flows: Vec<_> = (1..=20).map(flow).collect();
    for bad in [3, 4, 19] {
        flows[bad - 1].entity = too_long();
    }
    flows[9].entity = String::from("nul \0 and \\");
    let (locked, replies) = world.calls_behind(flows).await;
    locked.release().await;
    for (id, answer) in all(replies).await.into_iter().enumerate() {
        match [3, 4, 19].contains(&id) {
            true => {
                let error = answer.unwrap_err();
                assert!(error.message().contains("index row"), "{error}");
                assert_eq!(error.kind(), StepErrorKind::Failed);
            }
            false => answer.unwrap(),
        }
    }
    let stored = world.ids().await;
    assert!(stored.is_sorted() && stored.len() == 18, "in the order of the calls: {stored:?}");
    let with_nul = world.store.get(Uuid::from_u128(10)).await.unwrap().unwrap();
    assert_eq!(with_nul.summary.entity, "nul \0 and \\");
    world.clean().await;
}

#[test(requires(Postgres))]
async fn dropped_reply_loses_no_row_and_blocks_no_other_call() {
    let world = World::new().await;
    let (locked, mut replies) = world.calls_behind((1..=20).map(flow)).await;
    // Half of those that are dropped were polled before, the first of all calls among them.
    for reply in replies.iter_mut().step_by(4) {
        let polled = pin!(reply).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Pending));
    }
    let kept =
        replies.into_iter().enumerate().filter(|(id, _)| id % 2 == 1).map(|(_, reply)| reply).collect();
    locked.release().await;
    assert!(all(kept).await.iter().all(Result::is_ok));
    assert_eq!(world.ids().await, (0..=20).collect::<Vec<_>>());

    // Nor does one that nobody polls.
    let unpolled = world.store.enqueue(flow(21));
    awaited(world.store.enqueue(flow(22))).await.unwrap();
    assert_eq!(world.ids().await.len(), 23);
    drop(unpolled);
    world.clean().await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn batch_has_at_most_a_thousand_rows() {
    let world = World::new().await;
    let (locked, replies) = world.calls_behind((1..=2_100).map(flow)).await;
    locked.release().await;
    assert!(all(replies).await.iter().all(Result::is_ok));
    assert_eq!(world.batches().await, [1, 1_000, 1_000, 100]);
    world.clean().await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn batch_has_at_most_four_mebibytes_and_a_larger_row_is_written_alone() {
    let world = World::new().await;
    let mebibytes = [1, 1, 1, 1, 5, 1, 2, 3].into_iter().zip(1..);
    let flows = mebibytes.map(|(mebibytes, id)| {
        let mut flow = flow(id);
        flow.body = vec![b'x'; mebibytes * (1 << 20) - 100];
        flow
    });
    let (locked, replies) = world.calls_behind(flows).await;
    locked.release().await;
    assert!(all(replies).await.iter().all(Result::is_ok));
    assert_eq!(world.batches().await, [1, 4, 1, 2, 1]);
    world.clean().await;
}

/// The connection is cut while a batch is under way.
#[test(requires(Postgres))]
async fn lost_connection_fails_exactly_the_calls_of_its_batch() {
    let world = World::with_connections(1).await;
    // Preparing a statement takes the lock, too.
    world.store.enqueue(flow(100)).await.unwrap();
    let (first, mut replies) = world.calls_behind((1..=5).map(flow)).await;
    // It is behind flow 0 in the queue for the lock, and before the batch.
    let mut second = Locked(world.postgres.connection(&world.schema).await);
    let (second, ()) = tokio::join!(
        async {
            second.lock().await;
            second
        },
        async {
            world.until_waiting(2).await;
            first.release().await;
        }
    );
    world.until_waiting(1).await;
    replies.extend((6..=8).map(|id| world.store.enqueue(flow(id))));
    world.proxy.set(Link::Reset).await;
    world.proxy.set(Link::Up).await;
    let lost = replies.drain(..6).collect();
    for (id, answer) in all(lost).await.into_iter().enumerate() {
        match answer {
            Ok(()) => assert_eq!(id, 0),
            Err(error) => {
                assert!((1..=5).contains(&id), "{id}: {error}");
                assert_eq!(error.kind(), StepErrorKind::Failed);
                assert!(
                    error.message().starts_with(&format!("PostgreSQL at {}", world.proxy.address())),
                    "{error}"
                );
            }
        }
    }
    second.release().await;
    assert!(all(replies).await.iter().all(Result::is_ok));
    let stored = world.ids().await;
    assert!([0, 6, 7, 8].iter().all(|id| stored.contains(id)), "{stored:?}");
    world.clean().await;
}

#[test(requires(Postgres))]
async fn call_that_waits_behind_a_statement_has_the_timeout_of_any_call() {
    let mut world = World::new().await;
    let timeout = Duration::from_secs(2);
    world.store = world.store.clone().timeout(timeout);
    let (locked, replies) = world.calls_behind((1..=3).map(flow)).await;
    let begun = Instant::now();
    for answer in all(replies).await {
        let error = answer.unwrap_err();
        assert!(error.message().ends_with("no answer within 2s"), "{error}");
    }
    assert!(begun.elapsed() < 2 * timeout, "a call has waited for {:?}", begun.elapsed());
    locked.release().await;
    awaited(world.store.enqueue(flow(4))).await.unwrap();
    world.clean().await;
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn writer_ends_when_no_call_waits() {
    let world = World::new().await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let (locked, replies) = world.calls_behind((1..=3).map(flow)).await;
    let during = tasks();
    locked.release().await;
    assert!(all(replies).await.iter().all(Result::is_ok));
    until(async || tasks() < during).await;
    world.clean().await;
}

#[test(requires(Postgres))]
async fn call_after_the_end_of_the_runtime_fails() {
    let postgres = Postgres::new();
    let schema = postgres.migrated().await;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let at = url(postgres.address, &schema);
    let store = runtime.spawn(async move { Store::connect(&at).await.unwrap() }).await.unwrap();
    store.enqueue(flow(0)).await.unwrap();
    runtime.shutdown_background();
    let error = awaited(store.enqueue(flow(1))).await.unwrap_err();
    assert!(error.message().contains("has ended"), "{error}");
    postgres.clean().await;
}
