//! The queries of an [`AuditLog`].

use std::sync::Arc;

use graceful::{
    __private010::Sample,
    Code, Context, Flow,
    backends::{AuditFilter, AuditLog, AuditQuery, AuditRecord},
};
use uuid::Uuid;

/// The flow of an actor's call for a user, which ended at this second.
fn call(actor: &str, id: &str, second: i64) -> Arc<Flow> {
    let sample = Sample::new(id, Code::Ok, second);
    let sample = if actor.is_empty() { sample } else { sample.context(Context::new().user(actor)) };
    sample.flow()
}

fn filter(pairs: &[(&str, &str)]) -> AuditFilter {
    AuditFilter::parse(pairs.iter().copied()).expect("a filter")
}

async fn append<S: AuditLog>(store: &S, flows: &[Arc<Flow>]) {
    for flow in flows {
        store.append(flow).await.expect("a record is appended");
    }
}

/// Reads all pages of this size.
async fn pages<S: AuditLog>(store: &S, pairs: &[(&str, &str)], size: usize) -> Vec<AuditRecord> {
    let (mut all, mut query) = (Vec::new(), AuditQuery::new(filter(pairs), size));
    loop {
        let page = store.query(query.clone()).await.expect("records are read");
        assert!(page.items.len() <= size);
        all.extend(page.items);
        assert!(all.len() <= 100, "a page begins behind its cursor");
        let Some(next) = page.next else { return all };
        query =
            query.continued(next.to_string().parse().expect("a cursor has a text")).expect("the same filter");
    }
}

fn ids(records: &[AuditRecord]) -> Vec<Uuid> {
    records.iter().map(|record| record.flow).collect()
}

pub(super) async fn pages_contain_every_record_once_newest_first<S: AuditLog>(store: S) {
    assert_eq!(pages(&store, &[], 5).await, []);
    // The third is appended late, as that of a durable flow. Three are of one time.
    let flows =
        [(1, "1"), (5, "2"), (3, "1"), (5, "1"), (5, "3"), (6, "1")].map(|(at, id)| call("ada", id, at));
    append(&store, &flows).await;
    let expected = [5, 4, 3, 1, 2, 0].map(|place| flows[place].id());
    for size in [1, 2, 3, 6, 100] {
        let read = pages(&store, &[], size).await;
        assert_eq!(ids(&read), expected, "{size}");
        assert_eq!(read[0], AuditRecord::of(&flows[5]));
    }
    let none = store.query(AuditQuery::new(AuditFilter::default(), 0)).await.expect("records are read");
    assert_eq!((none.items, none.next), (Vec::new(), None));
    let all = store.query(AuditQuery::new(AuditFilter::default(), 6)).await.expect("records are read");
    assert_eq!((all.items.len(), all.next), (6, None), "the last page has no cursor");
}

pub(super) async fn filters_select_by_actor_entity_and_time<S: AuditLog>(store: S) {
    let flows: Vec<_> = (1..13)
        .zip(["ada", "bob", ""].into_iter().cycle())
        .zip(["1", "2"].into_iter().cycle())
        .map(|((second, actor), id)| call(actor, id, second))
        .collect();
    append(&store, &flows).await;
    let (first, second) = ("users::user:1", "users::user:2");
    let [from, to] = ["1970-01-01T00:00:04Z", "1970-01-01T00:00:08Z"];
    for (pairs, expected) in [
        (vec![("actor", "ada")], vec![9, 6, 3, 0]),
        (vec![("actor", "ad")], vec![]),
        (vec![("actor", "Ada")], vec![]),
        (vec![("entity", first)], vec![10, 8, 6, 4, 2, 0]),
        (vec![("entity", "users::user")], vec![]),
        (vec![("since", to)], vec![11, 10, 9, 8, 7]),
        (vec![("until", from)], vec![2, 1, 0]),
        (vec![("since", from), ("until", to)], vec![6, 5, 4, 3]),
        (vec![("since", to), ("until", from)], vec![]),
        (vec![("since", "1h")], vec![]),
        (vec![("until", "1h")], (0..12).rev().collect()),
        (vec![("actor", "bob"), ("entity", second)], vec![7, 1]),
        (vec![("actor", "bob"), ("entity", "nobody")], vec![]),
        (vec![("actor", "bob"), ("since", from)], vec![10, 7, 4]),
        (vec![("entity", second), ("until", to)], vec![5, 3, 1]),
        (vec![("actor", "ada"), ("entity", first), ("since", from), ("until", to)], vec![6]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|place: usize| flows[place].id()).collect();
        for size in [1, 3, 100] {
            assert_eq!(ids(&pages(&store, &pairs, size).await), expected, "{pairs:?} {size}");
        }
    }
}

pub(super) async fn filters_select_by_tenant<S: AuditLog>(store: S) {
    let long = "é".repeat(3000);
    let [long_a, long_b] = ["a", "b"].map(|end| long.clone() + end);
    let flows: Vec<_> = [
        ("acme", "ada", "1"),
        ("", "ada", "1"),
        ("ac", "bob", "1"),
        ("acme", "bob", "2"),
        ("a:b", "ada", "1"),
        ("", "", "2"),
        ("acme", "ada", "1"),
        (&*long_a, "ada", "1"),
        (&*long_b, "ada", "1"),
    ]
    .into_iter()
    .zip(1..)
    .map(|((tenant, actor, id), second)| {
        let context = if actor.is_empty() { Context::new() } else { Context::new().user(actor) };
        let context = if tenant.is_empty() { context } else { context.tenant(tenant) };
        Sample::new(id, Code::Ok, second).context(context).flow()
    })
    .collect();
    append(&store, &flows).await;
    let acme = "users:acme:user:1";
    for (pairs, expected) in [
        (vec![("tenant", "acme")], vec![6, 3, 0]),
        (vec![("tenant", "")], vec![5, 1]),
        (vec![("tenant", "ac")], vec![2]),
        (vec![("tenant", "a:b")], vec![4]),
        (vec![("tenant", "a%3Ab")], vec![]),
        (vec![("tenant", &*long_a)], vec![7]),
        (vec![("tenant", "nobody")], vec![]),
        (vec![("tenant", "acme"), ("actor", "ada")], vec![6, 0]),
        (vec![("tenant", ""), ("actor", "ada")], vec![1]),
        (vec![("tenant", "acme"), ("entity", acme)], vec![6, 0]),
        (vec![("tenant", "ac"), ("entity", acme)], vec![]),
        (vec![("tenant", ""), ("entity", acme)], vec![]),
        (vec![("tenant", ""), ("entity", "users::user:2")], vec![5]),
        (vec![("tenant", "acme"), ("entity", "users:acme:user:2"), ("actor", "bob")], vec![3]),
        (vec![("tenant", "acme"), ("since", "1970-01-01T00:00:04Z")], vec![6, 3]),
        (vec![("tenant", ""), ("until", "1970-01-01T00:00:04Z")], vec![1]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|place: usize| flows[place].id()).collect();
        for size in [1, 2, 100] {
            assert_eq!(ids(&pages(&store, &pairs, size).await), expected, "{pairs:?} {size}");
        }
    }
}

pub(super) async fn actors_with_long_or_strange_names_are_told_apart<S: AuditLog>(store: S) {
    let long = "é".repeat(3000);
    let names = [
        "ada".to_owned(),
        "ada\0".to_owned(),
        "ada\0lovelace".to_owned(),
        "ada\\0".to_owned(),
        "ada'%_".to_owned(),
        "x".repeat(200),
        "x".repeat(201),
        long.clone() + "a",
        long + "b",
    ];
    let flows: Vec<_> = names.iter().map(|name| call(name, "1", 1)).collect();
    append(&store, &flows).await;
    for (name, flow) in names.iter().zip(&flows) {
        for pairs in [&[("actor", &**name)][..], &[("actor", name), ("entity", "users::user:1")]] {
            assert_eq!(ids(&pages(&store, pairs, 10).await), [flow.id()], "{pairs:?}");
        }
    }
}

pub(super) async fn cursor_stays_behind_its_record<S: AuditLog>(store: S) {
    let flows: Vec<_> = (1..=4).map(|second| call("ada", "1", 2 * second)).collect();
    append(&store, &flows).await;
    let query = AuditQuery::new(filter(&[("actor", "ada")]), 2);
    let first = store.query(query.clone()).await.expect("records are read");
    assert_eq!(ids(&first.items), [flows[3].id(), flows[2].id()]);
    // One is newer than the first page, and one belongs to the second.
    let later = [call("ada", "1", 9), call("ada", "1", 3)];
    append(&store, &later).await;
    let cursor = first.next.expect("there are more");
    let next =
        store.query(query.continued(cursor).expect("the same filter")).await.expect("records are read");
    assert_eq!(ids(&next.items), [flows[1].id(), later[1].id()]);
    AuditQuery::new(filter(&[("actor", "bob")]), 2).continued(cursor).expect_err("it is of another filter");
}
