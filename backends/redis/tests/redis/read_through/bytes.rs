//! Bytes on the server are checked when they are read.

use graceful::backends::EntryName;

use super::{Case, End, Ended, LONG, entry, name};

#[test(requires(Redis))]
async fn damaged_entry_is_a_miss_and_is_overwritten() {
    let case = Case::new().await;
    case.load("ada").await;
    let name = case.entry_name();
    let whole: Vec<u8> = case.redis.raw(&[b"GET", name.as_bytes()]).await;
    let mut turned = whole.clone();
    *turned.last_mut().unwrap() ^= 1;
    let damaged: [&[u8]; 6] = [b"", b"r1", b"r1 \n", &whole[..whole.len() / 2], &turned, &[0xff; 64]];
    for bytes in damaged {
        let () = case.redis.raw(&[b"SET", name.as_bytes(), bytes]).await;
        assert_eq!(case.hit().await, None, "{bytes:?}");
        // The script of a look-up reads less of it.
        case.load("ada").await;
    }
    let () = case.redis.raw(&[b"DEL", name.as_bytes()]).await;
    let () = case.redis.raw(&[b"RPUSH", name.as_bytes(), b"a list"]).await;
    assert_eq!(case.hit().await, None);
    case.clean().await;
}

/// Both have the same marks.
#[test(requires(Redis))]
async fn entry_of_another_variant_is_a_miss() {
    let case = Case::new().await;
    case.load("ada").await;
    let bytes: Vec<u8> = case.redis.raw(&[b"GET", case.entry_name().as_bytes()]).await;
    let other = EntryName::new(case.name.entity.clone(), "2".into(), case.name.depends_on.clone());
    let () = case.redis.raw(&[b"SET", format!("{}2", case.entry_name()).as_bytes(), &bytes]).await;
    assert_eq!(case.port().hit(&other).await.unwrap(), None);
    case.clean().await;
}

#[test(requires(Redis))]
async fn evicted_mark_matches_nothing() {
    let case = Case::new().await;
    let seen = case.seen().await;
    assert!(case.fill(&seen, "old").await.unwrap());
    let write = case.write();
    let other = &case.name.depends_on[0];
    let marks = [&case.name.entity, other, &other.of_pattern()].map(|key| format!("{}/mark", name(key)));
    for mark in marks {
        let held = case.hold(&write).await;
        let () = case.redis.raw(&[b"DEL", mark.as_bytes()]).await;
        assert_eq!(case.hit().await, None, "{mark}");
        assert!(!case.fill(&seen, "old").await.unwrap(), "{mark}");
        assert_eq!(case.end(&write, &held, case.put("old")).await, Ended::Invalidated, "{mark}");
        assert_eq!(case.hit().await, None, "{mark}");

        case.load("new").await;
        let () = case.redis.raw(&[b"DEL", mark.as_bytes()]).await;
        assert_eq!(case.hit().await, None, "{mark}");
        // The next reader gets a new mark.
        assert!(!case.seen().await.is_same(&seen));
        assert_eq!(case.hit().await, None, "{mark}");
    }
    case.clean().await;
}

/// Otherwise what is written but never read would fill the server.
#[test(requires(Redis))]
async fn end_of_a_write_that_was_not_held_leaves_no_mark() {
    let case = Case::new().await;
    for end in [End::Invalidate, End::Unknown] {
        case.port().end(&case.write(), None, end).await.unwrap();
        case.port().invalidate_pattern(&case.name.entity.of_pattern()).await.unwrap();
        let names = format!("graceful:{}:*", case.redis.service);
        assert_eq!(case.redis.raw::<Vec<String>>(&[b"KEYS", names.as_bytes()]).await, [""; 0]);
    }
    case.clean().await;
}

/// Its entries would be misses before their time.
#[test(requires(Redis))]
async fn mark_lives_as_long_as_the_longest_that_depends_on_it() {
    let case = Case::new().await;
    let left = async || -> i64 { case.redis.raw(&[b"PTTL", case.mark_name().as_bytes()]).await };
    let brief = LONG / 2;
    let write = case.write();
    case.port().hold(&write, brief).await.unwrap();
    assert!(left().await <= 30_000);
    case.port().renew(&write, LONG).await.unwrap();
    assert!((30_001..=60_000).contains(&left().await));
    case.port().end(&write, None, End::Invalidate).await.unwrap();
    case.port().look_up(&case.name, LONG * 2, None, None).await.unwrap();
    assert!(left().await > 60_000);
    let seen = case.seen().await;
    let stored = case.port().fill(&case.name, &seen, entry("ada", None), LONG * 10).await.unwrap();
    assert!(stored && left().await > 500_000);
    let write = case.write();
    let held = case.port().hold(&write, brief).await.unwrap();
    assert!(left().await > 500_000);
    case.port().renew(&write, LONG).await.unwrap();
    assert!(left().await > 500_000);
    case.end(&write, &held, case.put("ada")).await;
    assert!(left().await > 500_000);
    case.clean().await;
}
