//! Which process reads which partition.

use std::time::Duration;

use graceful::backends::{HeldPartition, NewSubscriber, Subscriptions};

use super::{LEASE, join, joined, process, register};

pub(super) async fn first_process_holds_all_partitions_from_the_start<S: Subscriptions>(store: S) {
    register(&store, 7).await;
    let joined = join(&store, 1, 0).await;
    assert_eq!((joined.held, joined.share, joined.copies), (u32::MAX, 32, true));
    let expected: Vec<_> = (0..32).map(|partition| HeldPartition::new(partition, 7, 7)).collect();
    assert_eq!(joined.new, expected);
}

pub(super) async fn known_partitions_are_not_described_again<S: Subscriptions>(store: S) {
    joined(&store).await;
    let again = join(&store, 1, !0b1010).await;
    let described: Vec<_> = again.new.iter().map(|state| state.partition).collect();
    assert_eq!((again.held, described), (u32::MAX, vec![1, 3]));
}

pub(super) async fn second_process_gets_what_the_first_releases<S: Subscriptions>(store: S) {
    joined(&store).await;
    let second = join(&store, 2, 0).await;
    assert_eq!((second.held, second.share, second.copies), (0, 16, false));
    assert_eq!(join(&store, 1, u32::MAX).await.share, 16);
    store.release(process(1), 0xffff).await.unwrap();
    assert_eq!(join(&store, 1, 0xffff_0000).await.held, 0xffff_0000, "it has its share already");
    assert_eq!(join(&store, 2, 0).await.held, 0xffff);
}

pub(super) async fn expired_process_loses_its_partitions<S: Subscriptions>(
    store: S,
    elapse: impl AsyncFn(&S, Duration),
) {
    joined(&store).await;
    elapse(&store, LEASE * 2).await;
    let second = join(&store, 2, 0).await;
    assert_eq!((second.held, second.share, second.copies), (u32::MAX, 32, true));
    let first = join(&store, 1, u32::MAX).await;
    assert_eq!((first.held, first.copies), (0, false));
}

pub(super) async fn process_that_joins_again_keeps_its_partitions<S: Subscriptions>(
    store: S,
    elapse: impl AsyncFn(&S, Duration),
) {
    joined(&store).await;
    for _ in 0..3 {
        elapse(&store, LEASE / 2).await;
        assert_eq!(join(&store, 1, u32::MAX).await.held, u32::MAX);
    }
    assert_eq!(join(&store, 2, 0).await.held, 0);
}

pub(super) async fn partition_that_was_anothers_meanwhile_is_described_again<S: Subscriptions>(
    store: S,
    elapse: impl AsyncFn(&S, Duration),
) {
    joined(&store).await;
    elapse(&store, LEASE * 2).await;
    join(&store, 2, 0).await;
    store.release(process(2), u32::MAX).await.unwrap();
    let again = join(&store, 1, u32::MAX).await;
    assert_eq!((again.held, again.new.len()), (u32::MAX, 32));
}

pub(super) async fn concurrent_processes_hold_no_partition_together<S: Subscriptions>(store: S) {
    register(&store, 0).await;
    let (first, second, third) = tokio::join!(join(&store, 1, 0), join(&store, 2, 0), join(&store, 3, 0));
    assert_eq!(first.held & second.held | first.held & third.held | second.held & third.held, 0);
    assert_eq!([first, second, third].iter().filter(|joined| joined.copies).count(), 1);
}

pub(super) async fn subscribers_are_independent<S: Subscriptions>(store: S) {
    joined(&store).await;
    store.register(NewSubscriber::new("shop::other", 3)).await.unwrap();
    let names: Vec<_> =
        store.subscribers().await.unwrap().into_iter().map(|state| state.subscriber).collect();
    assert_eq!(names, ["shop::on_order", "shop::other"]);
    let reader = graceful::backends::ReaderId::new("shop::other", uuid::Uuid::from_u128(2));
    let other = store.join(reader, graceful::backends::Join::new(LEASE, 0, true)).await.unwrap();
    assert_eq!((other.held, other.new[0].handled_to), (u32::MAX, 3));
}
