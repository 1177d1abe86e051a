//! Holds and ends.

use graceful::{
    Key,
    backends::{Cache, End, Ended, Write},
};
use tokio::time::sleep;

use super::{Case, LONG, SHORT, entry};

pub(super) async fn all<C: Cache>(fresh: &impl AsyncFn() -> C) {
    hold_replaces_marks(Case::of(fresh).await).await;
    hold_misses_entries_at_once(Case::of(fresh).await).await;
    clean_put_is_stored(Case::of(fresh).await).await;
    put_under_another_hold_only_invalidates(Case::of(fresh).await).await;
    put_after_a_change_of_a_mark_only_invalidates(Case::of(fresh).await).await;
    put_of_a_value_that_shows_what_it_changes_is_stored(Case::of(fresh).await).await;
    restore_brings_the_entry_back(Case::of(fresh).await).await;
    restore_under_another_hold_only_invalidates(Case::of(fresh).await).await;
    restore_after_a_change_of_a_mark_only_invalidates(Case::of(fresh).await).await;
    unknown_outcome_leaves_the_hold(Case::of(fresh).await).await;
    end_without_a_hold_invalidates(Case::of(fresh).await).await;
    end_leaves_the_holds_of_others(Case::of(fresh).await).await;
    end_may_be_repeated(Case::of(fresh).await).await;
    brief_hold_does_not_shorten_another(Case::of(fresh).await).await;
    expired_hold_is_none(Case::of(fresh).await).await;
    renewal_extends_a_hold(Case::of(fresh).await).await;
    renewal_creates_no_hold(Case::of(fresh).await).await;
    write_that_changes_nothing_is_held_and_ended(Case::of(fresh).await).await;
    many_entities_are_held_and_ended(Case::of(fresh).await).await;
    dropped_reply_is_finished(Case::of(fresh).await).await;
}

async fn hold_replaces_marks<C: Cache>(case: Case<C>) {
    let write = case.write();
    let seen = case.seen().await;
    let held = case.hold(&write).await;
    assert!(held.clean);
    assert_eq!(held.incarnation, seen.incarnation);
    assert_eq!(held.old, [Some(seen.marks[0])]);
    assert_ne!(held.new, [seen.marks[0]]);
    // The order of both: the entity, the other one, the pattern of each.
    assert_eq!(held.others, seen.marks[1..]);
    assert_eq!(case.seen().await.marks, [&held.new[..], &held.others].concat());
    case.end(&write, &held, End::Invalidate).await;
    let after = case.seen().await;
    assert_ne!(after.marks[0], held.new[0]);
    assert_eq!(after.marks[1..], held.others);
}

async fn hold_misses_entries_at_once<C: Cache>(case: Case<C>) {
    for write in [case.write(), case.write_of_other()] {
        case.load("old").await;
        let held = case.hold(&write).await;
        assert_eq!(case.hit().await, None);
        case.end(&write, &held, End::Invalidate).await;
    }
}

async fn clean_put_is_stored<C: Cache>(case: Case<C>) {
    for value in ["one", "two"] {
        let write = case.write();
        let held = case.hold(&write).await;
        assert_eq!(case.end(&write, &held, case.put(value)).await, Ended::Put);
        assert_eq!(case.hit().await.as_deref(), Some(value));
    }
    case.change(&case.write_of_other()).await;
    assert_eq!(case.hit().await, None, "a put needs the marks of its dependencies");
    let write = case.write();
    let held = case.hold(&write).await;
    let put = End::Put { name: case.name.clone(), entry: entry("brief"), ttl: SHORT };
    assert_eq!(case.end(&write, &held, put).await, Ended::Put);
    while case.hit().await.is_some() {
        sleep(SHORT).await;
    }
}

async fn put_under_another_hold_only_invalidates<C: Cache>(case: Case<C>) {
    // The second finds the first one's hold, and the first one's marks are changed by the second.
    for second in [case.write(), case.write_of_other()] {
        case.load("old").await;
        let first = case.write();
        let held_first = case.hold(&first).await;
        let held_second = case.hold(&second).await;
        assert!(held_first.clean);
        assert_eq!(held_second.clean, second.changes() != first.changes());
        assert_eq!(case.end(&first, &held_first, case.put("first")).await, Ended::Invalidated);
        assert_eq!(case.hit().await, None);
        if second.changes() == first.changes() {
            assert_eq!(case.end(&second, &held_second, case.put("second")).await, Ended::Invalidated);
        } else {
            case.end(&second, &held_second, End::Invalidate).await;
        }
        assert_eq!(case.hit().await, None);
    }
    // The first holds what the value of the second shows.
    let first = case.write_of_other();
    let held_first = case.hold(&first).await;
    let second = case.write();
    let held_second = case.hold(&second).await;
    assert!(!held_second.clean);
    case.end(&first, &held_first, End::Invalidate).await;
    assert_eq!(case.end(&second, &held_second, case.put("second")).await, Ended::Invalidated);
    assert_eq!(case.hit().await, None);
    case.load("loaded").await;
}

async fn put_after_a_change_of_a_mark_only_invalidates<C: Cache>(case: Case<C>) {
    for change in 0..4 {
        let write = case.write();
        let held = case.hold(&write).await;
        assert!(held.clean);
        match change {
            0 => case.change(&case.write()).await,
            1 => case.change(&case.write_of_other()).await,
            2 => case.done(case.port().invalidate_pattern(&case.name.entity.of_pattern())).await,
            _ => case.done(case.port().invalidate_pattern(&case.other().of_pattern())).await,
        }
        assert_eq!(case.end(&write, &held, case.put("old")).await, Ended::Invalidated, "change {change}");
        assert_eq!(case.hit().await, None);
        assert!(!case.seen().await.held);
    }
}

/// The other entity is changed by the same write.
async fn put_of_a_value_that_shows_what_it_changes_is_stored<C: Cache>(case: Case<C>) {
    let write = case.write_of([case.other().clone()]);
    let held = case.hold(&write).await;
    assert_eq!(case.end(&write, &held, case.put("ada")).await, Ended::Put);
    assert_eq!(case.hit().await.as_deref(), Some("ada"));
    case.change(&case.write_of_other()).await;
    assert_eq!(case.hit().await, None);
}

async fn restore_brings_the_entry_back<C: Cache>(case: Case<C>) {
    case.load("ada").await;
    for write in [case.write(), case.write_of_other()] {
        let held = case.hold(&write).await;
        assert_eq!(case.hit().await, None);
        assert_eq!(case.end(&write, &held, End::Restore).await, Ended::Restored);
        assert_eq!(case.hit().await.as_deref(), Some("ada"));
    }
    // There was no mark to put back.
    let write = Write::new(vec![super::key("user")], Vec::new());
    let held = case.hold(&write).await;
    assert_eq!(held.old, [None]);
    assert_eq!(case.end(&write, &held, End::Restore).await, Ended::Restored);
    assert!(case.hold(&write).await.clean);
}

async fn restore_under_another_hold_only_invalidates<C: Cache>(case: Case<C>) {
    case.load("old").await;
    let [first, second] = [case.write(), case.write()];
    let held_first = case.hold(&first).await;
    let held_second = case.hold(&second).await;
    assert_eq!(case.end(&first, &held_first, End::Restore).await, Ended::Invalidated);
    assert_eq!(case.end(&second, &held_second, End::Restore).await, Ended::Invalidated);
    assert_eq!(case.hit().await, None);
}

async fn restore_after_a_change_of_a_mark_only_invalidates<C: Cache>(case: Case<C>) {
    case.load("old").await;
    let write = case.write();
    let held = case.hold(&write).await;
    case.change(&case.write()).await;
    assert_eq!(case.end(&write, &held, End::Restore).await, Ended::Invalidated);
    assert_eq!(case.hit().await, None);
}

async fn unknown_outcome_leaves_the_hold<C: Cache>(case: Case<C>) {
    case.load("old").await;
    let write = case.write();
    let held = case.done(case.port().hold(&write, SHORT * 10)).await;
    assert_eq!(case.end(&write, &held, End::Unknown).await, Ended::Invalidated);
    assert_eq!(case.hit().await, None);
    assert_ne!(case.seen().await.marks[0], held.new[0]);
    case.until_not_held().await;
    assert_eq!(case.hit().await, None);

    let held = case.hold(&write).await;
    case.end(&write, &held, End::Unknown).await;
    let seen = case.seen().await;
    assert!(seen.held && !case.fill(&seen, "old").await);
}

async fn end_without_a_hold_invalidates<C: Cache>(case: Case<C>) {
    for end in [End::Invalidate, End::Unknown, End::Restore, case.put("unheld")] {
        case.load("old").await;
        let seen = case.done(case.port().look_up(&case.name, LONG, None, None)).await;
        let write = case.write();
        assert_eq!(case.done(case.port().end(&write, None, end)).await, Ended::Invalidated);
        assert_eq!(case.hit().await, None, "{seen:?}");
        assert!(!case.seen().await.held);
    }
    let seen = case.seen().await;
    case.done(case.port().end(&case.write(), None, End::Invalidate)).await;
    assert!(!case.fill(&seen, "old").await);
}

async fn end_leaves_the_holds_of_others<C: Cache>(case: Case<C>) {
    let [first, second] = [case.write(), case.write()];
    let held_first = case.hold(&first).await;
    let held_second = case.hold(&second).await;
    case.end(&second, &held_second, End::Invalidate).await;
    assert!(case.seen().await.held);
    case.end(&first, &held_first, End::Invalidate).await;
    assert!(!case.seen().await.held);
}

async fn end_may_be_repeated<C: Cache>(case: Case<C>) {
    let write = case.write();
    let held = case.hold(&write).await;
    assert_eq!(case.end(&write, &held, case.put("ada")).await, Ended::Put);
    assert_eq!(case.end(&write, &held, case.put("ada")).await, Ended::Invalidated);
    assert_eq!(case.end(&write, &held, End::Invalidate).await, Ended::Invalidated);
    assert_eq!(case.hit().await, None);
}

async fn brief_hold_does_not_shorten_another<C: Cache>(case: Case<C>) {
    let [first, second] = [case.write(), case.write()];
    let held = case.hold(&first).await;
    case.done(case.port().hold(&second, SHORT)).await;
    sleep(SHORT * 2).await;
    assert!(case.seen().await.held);
    assert!(case.done(case.port().renew(&first, LONG)).await);
    case.end(&first, &held, End::Invalidate).await;
    case.until_not_held().await;
}

async fn expired_hold_is_none<C: Cache>(case: Case<C>) {
    let write = case.write();
    let held = case.done(case.port().hold(&write, SHORT)).await;
    case.until_not_held().await;
    assert!(case.hold(&case.write()).await.clean);
    // Its end invalidates all the same.
    let seen = case.seen().await;
    assert_eq!(case.end(&write, &held, End::Invalidate).await, Ended::Invalidated);
    assert_ne!(case.seen().await.marks[0], seen.marks[0]);
}

async fn renewal_extends_a_hold<C: Cache>(case: Case<C>) {
    let write = case.write();
    // If the machine is so slow that the hold expires before its renewal, it is held again.
    let held = loop {
        let held = case.done(case.port().hold(&write, SHORT * 10)).await;
        if case.done(case.port().renew(&write, LONG)).await {
            break held;
        }
    };
    sleep(SHORT * 11).await;
    assert!(case.seen().await.held);
    assert_eq!(case.end(&write, &held, End::Invalidate).await, Ended::Invalidated);
    assert!(!case.seen().await.held);
}

async fn renewal_creates_no_hold<C: Cache>(case: Case<C>) {
    let write = case.write();
    assert!(!case.done(case.port().renew(&write, LONG)).await, "there is no hold yet");
    case.change(&write).await;
    assert!(!case.done(case.port().renew(&write, LONG)).await, "its write has ended");
    case.done(case.port().hold(&write, SHORT)).await;
    case.until_not_held().await;
    assert!(!case.done(case.port().renew(&write, LONG)).await, "it has expired");
    assert!(!case.seen().await.held);
    let mut part = case.write_of_other();
    part.token = write.token;
    case.done(case.port().hold(&part, LONG)).await;
    let mut both = case.write_of([case.other().clone()]);
    both.token = write.token;
    assert!(!case.done(case.port().renew(&both, LONG)).await, "only one of the two is held");
    case.change(&part).await;
}

/// Its body may touch entities that it does not know before.
async fn write_that_changes_nothing_is_held_and_ended<C: Cache>(case: Case<C>) {
    case.load("ada").await;
    let write = Write::new(Vec::new(), Vec::new());
    let held = case.hold(&write).await;
    assert_eq!((held.old.len(), held.new.len(), held.others.len(), held.clean), (0, 0, 0, true));
    for end in [End::Invalidate, End::Unknown] {
        assert_eq!(case.end(&write, &held, end).await, Ended::Invalidated);
    }
    assert_eq!(case.hit().await.as_deref(), Some("ada"));
}

/// More than fit the arguments of a function on many servers.
async fn many_entities_are_held_and_ended<C: Cache>(case: Case<C>) {
    case.load("old").await;
    let write = case.write_of((0..10_000).map(|number| {
        Key::new("conformance", Some("acme"), "touched", format!("{}-{number}", case.name.entity.id()))
    }));
    let held = case.hold(&write).await;
    assert!(held.clean);
    assert_eq!((held.old.len(), held.new.len()), (10_001, 10_001));
    assert!(case.done(case.port().renew(&write, LONG)).await);
    assert_eq!(case.end(&write, &held, case.put("new")).await, Ended::Put);
    assert_eq!(case.hit().await.as_deref(), Some("new"));
    let last = Write::new(vec![write.changes()[10_000].clone()], Vec::new());
    let held_last = case.hold(&last).await;
    assert!(held_last.clean);
    assert_ne!(held_last.old, [Some(held.new[10_000])]);
}

async fn dropped_reply_is_finished<C: Cache>(case: Case<C>) {
    drop(case.port().hold(&case.write(), LONG));
    while !case.seen().await.held {
        sleep(SHORT).await;
    }
}
