//! What a [`Nexus`] must do.

use graceful::{
    __private010::Sample,
    Code, Key,
    backends::{KeySpace, Nexus},
};

use super::{at, call, flow, long_names};

/// Checks the promises of [`Nexus`].
///
/// # Panics
/// One of them is broken.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use graceful::backends::memory;
/// use graceful_testing::conformance;
/// conformance::nexus(async || memory::Nexus::new()).await;
/// # });
/// ```
pub async fn nexus<S: Nexus>(fresh: impl AsyncFn() -> S) {
    arms_are_separate_patterns(fresh().await).await;
    pages_contain_every_pattern_once_by_name(fresh().await).await;
    trace_is_in_the_order_of_time(fresh().await).await;
    calls_that_name_no_entity_are_counted_and_leave_a_bounded_list(fresh().await).await;
    long_names::entities_and_calls_are_traced(fresh().await).await;
}

async fn arms_are_separate_patterns<S: Nexus>(store: S) {
    for (id, code, second) in
        [("1", Code::Ok, 2), ("1", Code::NotFound, 3), ("2", Code::Ok, 1), ("2", Code::Ok, 4)]
    {
        store.register(&flow(id, code, second)).await.unwrap();
    }
    let used = store.patterns(None, usize::MAX).await.unwrap();
    let used: Vec<_> = used
        .iter()
        .map(|used| (used.pattern.as_str(), used.count, used.first_used, used.last_used))
        .collect();
    assert_eq!(used, [("user", 3, at(1), at(4)), ("user.error", 1, at(3), at(3))]);
}

async fn pages_contain_every_pattern_once_by_name<S: Nexus>(store: S) {
    for (pattern, code) in
        [("user", Code::Ok), ("a'\0\\", Code::Ok), ("User", Code::Ok), ("user", Code::Internal)]
    {
        store
            .register(&Sample::new("1", code, 1).pattern(pattern).flow())
            .await
            .expect("a use is registered");
    }
    store
        .register(&Sample::new("1", Code::Ok, 1).pattern("é".repeat(1000)).flow())
        .await
        .expect("a use is registered");
    let names = async |after: Option<&str>, limit| -> Vec<String> {
        let used = store.patterns(after, limit).await.expect("patterns are listed");
        used.iter().map(|used| used.pattern.to_string()).collect()
    };
    let all = names(None, usize::MAX).await;
    assert_eq!((all.len(), &*all[0]), (5, "User"), "{all:?}");
    for size in 1..=6 {
        let mut pages = names(None, size).await;
        loop {
            let page = names(Some(&pages[pages.len() - 1]), size).await;
            assert!(page.len() <= size);
            if page.is_empty() {
                break;
            }
            pages.extend(page);
        }
        assert_eq!(pages, all, "{size}");
    }
    assert_eq!(names(Some("user"), 1).await, ["user.error"]);
    assert_eq!(names(Some("us"), 1).await, ["user"], "a name that is no pattern");
    assert_eq!(names(None, 0).await, [""; 0]);
}

async fn trace_is_in_the_order_of_time<S: Nexus>(store: S) {
    let flows = [flow("1", Code::Ok, 2), flow("2", Code::Ok, 1), flow("1", Code::Internal, 1)];
    for flow in &flows {
        store.register(flow).await.unwrap();
    }
    let traced = store.trace(&flows[0].entity()).await.unwrap();
    let traced: Vec<_> = traced.iter().map(|trace| (trace.pattern.as_str(), trace.flow, trace.at)).collect();
    assert_eq!(traced, [("user.error", flows[2].id(), at(1)), ("user", flows[0].id(), at(2))]);
}

async fn calls_that_name_no_entity_are_counted_and_leave_a_bounded_list<S: Nexus>(store: S) {
    let calls: Vec<_> = (1..=150).map(|second| call("42", second)).collect();
    for call in &calls {
        store.register(call).await.unwrap();
    }
    assert_eq!(store.patterns(None, usize::MAX).await.unwrap()[0].count, 150);
    let list = Key::new("users", None, "user", "").in_space(KeySpace::Call);
    let listed = store.trace(&list).await.unwrap();
    assert!((1..=100).contains(&listed.len()), "{} are listed", listed.len());
    assert_eq!(listed.last().map(|trace| trace.flow), calls.last().map(|call| call.id()));
    for key in [calls[0].entity(), Key::new("users", None, "user", "42")] {
        assert_eq!(store.trace(&key).await.unwrap(), [], "{key}");
    }
}
