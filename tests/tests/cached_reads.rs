//! The start check of handlers that read through the cache: each mistake is found, with its place. This is a program of its own, because its
//! handlers contradict each other.
#![allow(missing_docs, reason = "tests")]

use graceful::{
    Code, Key, Orchestrator, Text,
    backends::{
        Cache, CacheEntry, CacheWrite, End, Ended, EntryName, Held, Hit, LookUp, Mark, ReadThrough, Reply,
        Seen, Write, memory,
    },
    orchestrate,
};
use std::time::Duration;

type Read<T> = Result<T, Code>;

macro_rules! mistakes {
    ($($(#[$doc:meta])* $module:ident { $($handlers:tt)* })*) => {$(
        $(#[$doc])*
        mod $module {
            #![allow(dead_code, reason = "handlers that are only registered")]
            use super::*;
            $($handlers)*
        }
    )*};
}

mistakes! {
    /// A list that depends on a pattern with a typo.
    typo {
        #[orchestrate(pattern = "typo_list", cache(key = (), read, depends_on(typo_usr = id)))]
        async fn list(id: u64) -> Read<Vec<u64>> { Ok(vec![id]) }
        #[orchestrate(pattern = "typo_user", cache(key = id, on_ok = "invalidate"))]
        async fn update(id: u64) -> Read<u64> { Ok(id) }
    }
    /// Nobody writes what is read.
    unwritten {
        #[orchestrate(pattern = "unwritten", cache(key = id, read))]
        async fn get(id: u64) -> Read<u64> { Ok(id) }
    }
    /// The writer has an id, but no cache key, so it writes nothing that is cached.
    without_a_key {
        #[orchestrate(pattern = "keyless", cache(key = id, read))]
        async fn get(id: u64) -> Read<u64> { Ok(id) }
        #[orchestrate(pattern = "keyless", id = id)]
        async fn update(id: u64) -> Read<u64> { Ok(id) }
    }
    /// The writer's step `cache` is off.
    switched_off {
        #[orchestrate(pattern = "switched", cache(key = id, read))]
        async fn get(id: u64) -> Read<u64> { Ok(id) }
        #[orchestrate(pattern = "switched", id = id, cache = off)]
        async fn update(id: u64) -> Read<u64> { Ok(id) }
    }
    /// Nobody touches what the list depends on, although its own pattern is written.
    untouched {
        #[orchestrate(pattern = "untouched_list", cache(key = (), read, depends_on(untouched_shop = shop)))]
        async fn list(shop: u64) -> Read<Vec<u64>> { Ok(vec![shop]) }
        #[orchestrate(pattern = "untouched_list", cache(key = (), on_ok = "invalidate"))]
        async fn sort() -> Read<()> { Ok(()) }
    }
    /// The writer names the entity in another form.
    other_form {
        #[orchestrate(pattern = "other_form", cache(key = id, read))]
        async fn get(id: u64) -> Read<u64> { Ok(id) }
        #[orchestrate(pattern = "other_form", cache(key = "user-{id}", on_ok = "invalidate"))]
        async fn update(id: u64) -> Read<u64> { Ok(id) }
    }
    /// A list under the pattern of its members.
    list_form {
        #[orchestrate(pattern = "list_form", cache(key = id, on_ok = "invalidate"))]
        async fn update(id: u64) -> Read<u64> { Ok(id) }
        #[orchestrate(pattern = "list_form", cache(key = "page/{page}", read))]
        async fn list(page: u64) -> Read<Vec<u64>> { Ok(vec![page]) }
    }
    /// The writer puts another type than the reader reads.
    wrong_type {
        #[orchestrate(pattern = "wrong_type", cache(key = id, read))]
        async fn get(id: u64) -> Read<String> { Ok(id.to_string()) }
        #[orchestrate(pattern = "wrong_type", cache = id)]
        async fn update(id: u64) -> Read<u64> { Ok(id) }
    }
    /// Two readers have different types.
    two_types {
        #[orchestrate(pattern = "two_types", cache(key = id, read, unwritten))]
        async fn get(id: u64) -> Read<Option<u64>> { Ok(Some(id)) }
        #[orchestrate(pattern = "two_types", cache(key = id, read, unwritten))]
        async fn name(id: u64) -> Read<String> { Ok(id.to_string()) }
    }
    /// Two readers have different forms of the value.
    two_revs {
        #[orchestrate(pattern = "two_revs", cache(key = id, read, unwritten))]
        async fn old(id: u64) -> Read<u64> { Ok(id) }
        #[orchestrate(pattern = "two_revs", cache(key = id, read, unwritten, rev = 2))]
        async fn new(id: u64) -> Read<u64> { Ok(id) }
    }
    /// A version beside a hold.
    versioned {
        #[orchestrate(pattern = "versioned", cache(key = id, read))]
        async fn get(id: u64) -> Read<u64> { Ok(id) }
        #[orchestrate(pattern = "versioned", cache(key = id, version = version))]
        async fn update(id: u64, version: i64) -> Read<u64> { Ok(id + version.unsigned_abs()) }
    }
    /// Both orders of writes beside a hold.
    versioned_and_keeps {
        #[orchestrate(pattern = "both", cache(key = id, read))]
        async fn get(id: u64) -> Read<u64> { Ok(id) }
        #[orchestrate(pattern = "both", cache(key = id, version = version, on_err = "keep"))]
        async fn update(id: u64, version: i64) -> Read<u64> { Ok(id + version.unsigned_abs()) }
    }
    /// Errors that keep the value beside a hold.
    keeps {
        #[orchestrate(pattern = "keeps", cache(key = id, read))]
        async fn get(id: u64) -> Read<u64> { Ok(id) }
        #[orchestrate(pattern = "keeps", cache(key = id, on_err = "keep"))]
        async fn update(id: u64) -> Read<u64> { Ok(id) }
    }
    /// A version on a pattern that another handler depends on.
    versioned_dependency {
        #[orchestrate(pattern = "versioned_list", cache(key = (), read, depends_on(versioned_member = id)))]
        async fn list(id: u64) -> Read<Vec<u64>> { Ok(vec![id]) }
        #[orchestrate(pattern = "versioned_member", cache(key = id, version = version))]
        async fn update(id: u64, version: i64) -> Read<u64> { Ok(id + version.unsigned_abs()) }
    }
    /// All is well: what is right is not reported.
    right {
        #[orchestrate(pattern = "right_list", cache(key = "{customer}/{page}", read, depends_on(right = customer)))]
        async fn list(customer: u64, page: u64) -> Read<Vec<u64>> { Ok(vec![customer, page]) }
        #[orchestrate(pattern = "right", cache(key = "{id}", read))]
        async fn get(id: u64) -> Read<Option<u64>> { Ok(Some(id)) }
        #[orchestrate(pattern = "right", cache = id)]
        async fn update(id: u64) -> Read<u64> { Ok(id) }
        #[orchestrate(pattern = "right_rates", cache(key = (), read, unwritten))]
        async fn rates() -> Read<Vec<u64>> { Ok(vec![]) }
    }
    /// What many entities need is written by a handler without a key of its own.
    many {
        #[orchestrate(pattern = "many", cache(key = id, read))]
        async fn get(id: u64) -> Read<u64> { Ok(id) }
        #[orchestrate(pattern = "many_at_once", cache(touches(many = ids)))]
        fn update(ids: &[u64]) -> Result<usize, Code> { Ok(ids.len()) }
    }
    /// They cannot wait for a cache that answers later.
    sync {
        #[orchestrate(pattern = "sync", cache(key = id, read))]
        fn get(id: u64) -> Result<u64, Code> { Ok(id) }
        #[orchestrate(pattern = "sync", cache(key = id, on_ok = "invalidate"))]
        fn update(id: u64) -> Result<u64, Code> { Ok(id) }
    }
}

/// What the check reports of one module's handlers.
fn reported(module: &str, cache: impl Cache) -> Vec<String> {
    let path = format!("{}::{module}", module_path!());
    let built = Orchestrator::builder().cache(cache).handlers(path).build();
    built.map_or_else(|error| error.to_string().lines().map(str::to_owned).collect(), |_| Vec::new())
}

/// That one handler is reported, at its place, for this reason.
#[track_caller]
fn assert_reported(module: &str, handler: &str, reasons: &[&str]) {
    let reported = reported(module, memory::Cache::new());
    let [line] = &reported[..] else { panic!("{module}: {reported:#?}") };
    assert!(line.starts_with(&format!("`{handler}` ({}:", file!())), "{line}");
    for reason in reasons {
        assert!(line.contains(reason), "{reason}: {line}");
    }
}

#[test]
fn each_mistake_is_reported_at_its_handler_with_a_fix() {
    for (module, handler, reasons) in [
        ("typo", "list", &["`typo_usr`", "did you mean `typo_user`? Otherwise give", "touches(…)"][..]),
        ("unwritten", "get", &["`unwritten`, which no handler writes", "cache(key = …, read, unwritten)"]),
        (
            "without_a_key",
            "get",
            &[
                "`keyless`, which no handler writes (`update` (",
                "has that pattern, but no cache key",
                "cache(key = …, read, unwritten)",
            ],
        ),
        ("switched_off", "get", &["`switched`, which no handler writes"]),
        ("untouched", "list", &["`untouched_shop`, which no handler writes", "touches(…)"]),
        ("other_form", "update", &["`user-{}`", "`{}`", "`get` (", "use one form"]),
        ("list_form", "list", &["`page/{}`", "`{}`", "`update` ("]),
        ("wrong_type", "update", &["`u64`", "`alloc::string::String`", "`get` ("]),
        ("two_types", "name", &["`u64`", "`alloc::string::String`", "`get` ("]),
        ("versioned", "update", &["`cache(version = …)`", "`versioned`", "remove it"]),
        ("keeps", "update", &["`cache(on_err = \"keep\")`", "`keeps`"]),
        ("two_revs", "new", &["with `rev = 2`, and `old` (", ") without `rev`"]),
        ("versioned_dependency", "update", &["`cache(version = …)`", "`versioned_member`"]),
    ] {
        assert_reported(module, handler, reasons);
    }
    let both = reported("versioned_and_keeps", memory::Cache::new());
    let [version, keep] = &both[..] else { panic!("{both:#?}") };
    assert!(version.contains("`cache(on_err = \"keep\")`") && keep.contains("`cache(version = …)`"));
    assert_eq!(reported("right", memory::Cache::new()), [""; 0]);
}

#[test]
fn sync_handlers_are_refused_with_a_cache_that_answers_later() {
    assert_eq!(reported("sync", memory::Cache::new()), [""; 0]);
    let reported = reported("sync", Other { later: true, unfit: None });
    assert_eq!(reported.len(), 2, "{reported:#?}");
    for (line, handler) in reported.iter().zip(["get", "update"]) {
        assert!(
            line.starts_with(&format!("`{handler}` (")) && line.contains("make the handler `async`"),
            "{line}"
        );
    }
}

#[test]
fn sync_handler_that_only_touches_is_refused_with_a_cache_that_answers_later() {
    assert_eq!(reported("many", memory::Cache::new()), [""; 0]);
    let reported = reported("many", Other { later: true, unfit: None });
    assert!(
        matches!(&reported[..], [line] if line.starts_with("`update` (") && line.contains("`many`")),
        "{reported:#?}"
    );
}

#[test]
fn readers_are_refused_with_a_cache_that_cannot_be_read_through() {
    let without = reported("right", WithoutProtocol);
    assert_eq!(without.len(), 3, "{without:#?}");
    assert!(without.iter().all(|line| line.contains("it does not support that")));
    let unfit =
        reported("right", Other { later: true, unfit: Some("the server does not tell its incarnation") });
    assert_eq!(unfit.len(), 3, "{unfit:#?}");
    assert!(unfit.iter().all(|line| line.contains("the server does not tell its incarnation")));
}

/// A cache that stores nothing.
#[derive(Debug)]
struct WithoutProtocol;

impl Cache for WithoutProtocol {
    fn get(&self, _: &Key) -> Reply<Option<CacheEntry>> {
        Reply::ready(None)
    }

    fn put(&self, _: &Key, _: CacheEntry, _: Option<Duration>) -> Reply<CacheWrite> {
        Reply::ready(CacheWrite::Done)
    }

    fn invalidate(&self, _: &Key, _: Option<i64>, _: Duration) -> Reply<CacheWrite> {
        Reply::ready(CacheWrite::Done)
    }
}

/// The same with the protocol, for what the check asks of it.
#[derive(Debug)]
struct Other {
    later: bool,
    unfit: Option<&'static str>,
}

impl Cache for Other {
    fn get(&self, key: &Key) -> Reply<Option<CacheEntry>> {
        WithoutProtocol.get(key)
    }

    fn put(&self, key: &Key, entry: CacheEntry, ttl: Option<Duration>) -> Reply<CacheWrite> {
        WithoutProtocol.put(key, entry, ttl)
    }

    fn invalidate(&self, key: &Key, version: Option<i64>, ttl: Duration) -> Reply<CacheWrite> {
        WithoutProtocol.invalidate(key, version, ttl)
    }

    fn read_through(&self) -> Option<&dyn ReadThrough> {
        Some(self)
    }
}

const NOT_CALLED: &str = "the check calls no method of the protocol";

impl ReadThrough for Other {
    fn is_immediate(&self) -> bool {
        !self.later
    }

    fn unfit(&self) -> Option<Text> {
        self.unfit.map(Text::new_static)
    }

    fn hit(&self, _: &EntryName) -> Reply<Option<Hit>> {
        unreachable!("{NOT_CALLED}")
    }

    fn look_up(&self, _: &EntryName, _: Duration, _: Option<Duration>, _: Option<Duration>) -> Reply<LookUp> {
        unreachable!("{NOT_CALLED}")
    }

    fn fill(&self, _: &EntryName, _: &Seen, _: CacheEntry, _: Duration) -> Reply<bool> {
        unreachable!("{NOT_CALLED}")
    }

    fn extend(&self, _: &EntryName, _: Mark, _: Duration) -> Reply<bool> {
        unreachable!("{NOT_CALLED}")
    }

    fn release(&self, _: &EntryName, _: Mark) -> Reply<()> {
        unreachable!("{NOT_CALLED}")
    }

    fn hold(&self, _: &Write, _: Duration) -> Reply<Held> {
        unreachable!("{NOT_CALLED}")
    }

    fn renew(&self, _: &Write, _: Duration) -> Reply<bool> {
        unreachable!("{NOT_CALLED}")
    }

    fn end(&self, _: &Write, _: Option<&Held>, _: End) -> Reply<Ended> {
        unreachable!("{NOT_CALLED}")
    }

    fn invalidate_pattern(&self, _: &Key) -> Reply<()> {
        unreachable!("{NOT_CALLED}")
    }
}
