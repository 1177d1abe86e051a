//! What a [`Nexus`] must do.

use super::{at, flow};
use crate::{Code, backends::Nexus};

/// Checks the promises of [`Nexus`].
///
/// # Panics
/// One of them is broken.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use graceful::{backends::memory, testing::conformance};
/// conformance::nexus(async || memory::Nexus::new()).await;
/// # });
/// ```
pub async fn nexus<S: Nexus>(fresh: impl AsyncFn() -> S) {
    each_arm_is_a_pattern(fresh().await).await;
    a_trace_is_in_the_order_of_time(fresh().await).await;
}

async fn each_arm_is_a_pattern<S: Nexus>(store: S) {
    for (id, code, second) in
        [("1", Code::Ok, 2), ("1", Code::NotFound, 3), ("2", Code::Ok, 1), ("2", Code::Ok, 4)]
    {
        store.register(&flow(id, code, second)).await.unwrap();
    }
    let used = store.patterns().await.unwrap();
    let used: Vec<_> = used
        .iter()
        .map(|used| (used.pattern.as_str(), used.count, used.first_used, used.last_used))
        .collect();
    assert_eq!(used, [("user", 3, at(1), at(4)), ("user.error", 1, at(3), at(3))]);
}

async fn a_trace_is_in_the_order_of_time<S: Nexus>(store: S) {
    let flows = [flow("1", Code::Ok, 2), flow("2", Code::Ok, 1), flow("1", Code::Internal, 1)];
    for flow in &flows {
        store.register(flow).await.unwrap();
    }
    let traced = store.trace(&flows[0].entity()).await.unwrap();
    let traced: Vec<_> = traced.iter().map(|trace| (trace.pattern.as_str(), trace.flow, trace.at)).collect();
    assert_eq!(traced, [("user.error", flows[2].id(), at(1)), ("user", flows[0].id(), at(2))]);
}
