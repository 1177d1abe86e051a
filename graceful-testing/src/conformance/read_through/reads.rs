//! Hits, look-ups and fills.

use graceful::{
    Key,
    backends::{Cache, CacheEntry, End, Ended, EntryName, KeySpace, LookUp, Write},
};
use tokio::time::sleep;

use super::{Case, LONG, SHORT, entry};

pub(super) async fn all<C: Cache>(fresh: &impl AsyncFn() -> C) {
    filled_value_is_hit(Case::of(fresh).await).await;
    stored_null_is_hit(Case::of(fresh).await).await;
    look_ups_without_a_write_see_the_same(Case::of(fresh).await).await;
    value_with_short_time_to_live_expires(Case::of(fresh).await).await;
    entry_is_missed_after_a_change_of_any_mark(Case::of(fresh).await).await;
    fill_after_a_change_of_any_mark_is_refused(Case::of(fresh).await).await;
    entry_without_the_mark_of_a_dependency_is_missed(Case::of(fresh).await).await;
    load_that_began_under_a_hold_is_not_stored(Case::of(fresh).await).await;
    fill_under_a_hold_is_refused(Case::of(fresh).await).await;
    variants_are_entries_of_one_entity(Case::of(fresh).await).await;
    entries_of_other_names_are_separate(Case::of(fresh).await).await;
    put_without_marks_is_no_hit(Case::of(fresh).await).await;
}

async fn filled_value_is_hit<C: Cache>(case: Case<C>) {
    assert_eq!(case.hit().await, None);
    let seen = case.seen().await;
    assert_eq!(seen.marks.len(), case.name.marked().len());
    assert!(!seen.held);
    let stored = CacheEntry::new(entry("ada").value, jiff::Timestamp::UNIX_EPOCH, Some(7));
    assert!(case.done(case.port().fill(&case.name, &seen, stored.clone(), LONG)).await);
    let hit = case.done(case.port().hit(&case.name)).await.expect("the value is cached");
    assert_eq!(hit.entry, stored);
    let found = case.done(case.port().look_up(&case.name, LONG, None, None)).await;
    assert!(matches!(found, LookUp::Hit(hit) if hit.entry == stored));
}

async fn stored_null_is_hit<C: Cache>(case: Case<C>) {
    let seen = case.seen().await;
    let null = CacheEntry::new(graceful::Payload::NULL, jiff::Timestamp::UNIX_EPOCH, None);
    assert!(case.done(case.port().fill(&case.name, &seen, null.clone(), LONG)).await);
    assert_eq!(case.done(case.port().hit(&case.name)).await.map(|hit| hit.entry), Some(null));
}

async fn look_ups_without_a_write_see_the_same<C: Cache>(case: Case<C>) {
    let [first, second] = [case.seen().await, case.seen().await];
    assert!(first.is_same(&second), "{first:?} {second:?}");
    // Both may store.
    assert!(case.fill(&first, "first").await && case.fill(&second, "second").await);
    assert_eq!(case.hit().await.as_deref(), Some("second"));
}

async fn value_with_short_time_to_live_expires<C: Cache>(case: Case<C>) {
    let seen = case.seen().await;
    case.done(case.port().fill(&case.name, &seen, entry("ada"), SHORT)).await;
    while case.hit().await.is_some() {
        sleep(SHORT).await;
    }
    assert!(!case.seen().await.held);
}

/// Changes one mark of the entry after the other.
enum Change {
    Entity,
    Other,
    PatternOfEntity,
    PatternOfOther,
}

const CHANGES: [Change; 4] = [Change::Entity, Change::Other, Change::PatternOfEntity, Change::PatternOfOther];

impl Change {
    async fn make<C: Cache>(&self, case: &Case<C>) {
        let pattern = match self {
            Self::Entity => return case.change(&case.write()).await,
            Self::Other => return case.change(&case.write_of_other()).await,
            Self::PatternOfEntity => case.name.entity.of_pattern(),
            Self::PatternOfOther => case.other().of_pattern(),
        };
        case.done(case.port().invalidate_pattern(&pattern)).await;
    }
}

async fn entry_is_missed_after_a_change_of_any_mark<C: Cache>(case: Case<C>) {
    for change in CHANGES {
        case.load("ada").await;
        change.make(&case).await;
        assert_eq!(case.hit().await, None);
        assert!(!case.seen().await.held);
    }
    case.load("ada").await;
}

async fn fill_after_a_change_of_any_mark_is_refused<C: Cache>(case: Case<C>) {
    for change in CHANGES {
        let seen = case.seen().await;
        change.make(&case).await;
        assert!(!case.fill(&seen, "old").await);
        assert_eq!(case.hit().await, None);
        assert!(!seen.is_same(&case.seen().await));
    }
}

async fn entry_without_the_mark_of_a_dependency_is_missed<C: Cache>(case: Case<C>) {
    case.load("ada").await;
    let mut more = case.name.clone();
    more.depends_on.push(Key::new("conformance", None, "account", "1"));
    assert_eq!(case.hit_of(&more).await, None);
    case.seen_of(&more).await;
    assert_eq!(case.hit_of(&more).await, None);
    // A reader that shows less needs fewer marks.
    let fewer = EntryName::new(case.name.entity.clone(), "".into(), Vec::new());
    assert_eq!(case.hit_of(&fewer).await.as_deref(), Some("ada"));
}

async fn load_that_began_under_a_hold_is_not_stored<C: Cache>(case: Case<C>) {
    for write in [case.write(), case.write_of_other()] {
        let held = case.hold(&write).await;
        let seen = case.seen().await;
        assert!(seen.held && !seen.is_same(&seen));
        assert!(!case.fill(&seen, "old").await);
        case.end(&write, &held, End::Invalidate).await;
        assert!(!case.fill(&seen, "old").await);
        assert_eq!(case.hit().await, None);
        assert!(!case.seen().await.held);
    }
}

async fn fill_under_a_hold_is_refused<C: Cache>(case: Case<C>) {
    for write in [case.write(), case.write_of_other()] {
        let seen = case.seen().await;
        let held = case.hold(&write).await;
        assert!(!case.fill(&seen, "old").await);
        assert_eq!(case.hit().await, None);
        // The marks are those of the look-up again, but the load was refused, and stays so.
        assert_eq!(case.end(&write, &held, End::Restore).await, Ended::Restored);
        assert_eq!(case.hit().await, None);
    }
}

async fn variants_are_entries_of_one_entity<C: Cache>(case: Case<C>) {
    let variants = ["", "2", "rev=2", ":", "é/*"];
    let names = variants.map(|variant| case.variant(variant));
    for (name, value) in names.iter().zip(variants) {
        let seen = case.seen_of(name).await;
        assert!(case.done(case.port().fill(name, &seen, entry(value), LONG)).await);
    }
    for (name, value) in names.iter().zip(variants) {
        assert_eq!(case.hit_of(name).await.as_deref(), Some(value));
    }
    case.change(&case.write()).await;
    for name in &names {
        assert_eq!(case.hit_of(name).await, None);
    }
}

async fn entries_of_other_names_are_separate<C: Cache>(case: Case<C>) {
    let key = &case.name.entity;
    let [service, tenant, pattern, id] = [key.service(), key.tenant(), key.pattern(), key.id()];
    let others = [
        Key::new(service, Some("initech"), pattern, id),
        Key::new(service, None, pattern, id),
        Key::new(service, Some(tenant), "account", id),
        Key::new(service, Some(tenant), pattern, format!("{id}3")),
        Key::new(service, Some(tenant), pattern, format!("{id}:pattern")),
        key.in_space(KeySpace::LastGood),
    ];
    case.load("ada").await;
    for other in others {
        let name = EntryName::new(other, "".into(), case.name.depends_on.clone());
        assert_eq!(case.hit_of(&name).await, None, "{name:?}");
        let seen = case.seen_of(&name).await;
        case.done(case.port().fill(&name, &seen, entry("else"), LONG)).await;
        case.change(&Write::new(vec![name.entity.clone()], Vec::new())).await;
        assert_eq!(case.hit().await.as_deref(), Some("ada"), "{name:?}");
    }
}

/// What [`Cache::put`] stores has no marks. A cache may store it in the place of an entry.
async fn put_without_marks_is_no_hit<C: Cache>(case: Case<C>) {
    let key = &case.name.entity;
    case.cache.put(key, entry("unheld"), Some(LONG)).await.expect("the cache answers");
    assert_eq!(case.hit().await, None);
    case.load("ada").await;
    case.cache.put(key, entry("unheld"), Some(LONG)).await.expect("the cache answers");
    assert_ne!(case.hit().await.as_deref(), Some("unheld"));
    case.cache.invalidate(key, None, LONG).await.expect("the cache answers");
    assert_ne!(case.hit().await.as_deref(), Some("unheld"));
}
