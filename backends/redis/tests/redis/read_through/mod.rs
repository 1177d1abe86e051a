//! Handlers read through the cache: what the conformance suite cannot see, and faults.

mod bytes;
mod clock;
mod commands;
mod handlers;
mod history;
mod incarnation;
mod leases;
mod names;
mod programs;
mod resent;
mod unfit;

use std::time::Duration;

use graceful::{
    Key,
    backends::{
        Cache as _, End, Ended, EntryName, Held, Hit, Lease, LookUp, Mark, ReadThrough, Reply, Seen, Write,
    },
};
use graceful_redis::Cache;
use graceful_tests::servers::Server;

use super::{Redis, entry, name, url};

/// A time that no test waits for.
const LONG: Duration = Duration::from_secs(60);

/// A server, and an entry that depends on another entity.
struct Case {
    redis: Redis,
    cache: Cache,
    name: EntryName,
}

impl Case {
    /// On the server that all tests share.
    async fn new() -> Self {
        Self::on(Redis::connect().await).await
    }

    /// On a server of the test's own.
    async fn of(server: &Server) -> Self {
        Self::on(Redis::at(server.address()).await).await
    }

    async fn on(redis: Redis) -> Self {
        let depends_on = vec![Key::new(&*redis.service, Some("acme"), "account", "7")];
        // However slow the machine is, no test waits for this timeout.
        let cache = redis.cache().await.timeout(LONG);
        let name = EntryName::new(redis.key("42"), "".into(), depends_on);
        Self { redis, cache, name }
    }

    /// The same entry in another process.
    async fn elsewhere(&self) -> Self {
        self.through(self.redis.cache().await.timeout(LONG))
    }

    /// The same entry through another connection.
    fn through(&self, cache: Cache) -> Self {
        Self { redis: self.redis.clone(), cache, name: self.name.clone() }
    }

    fn port(&self) -> &dyn ReadThrough {
        self.cache.read_through().unwrap()
    }

    fn write(&self) -> Write {
        Write::new(vec![self.name.entity.clone()], self.name.depends_on.clone())
    }

    fn put(&self, value: &str) -> End {
        End::Put { name: self.name.clone(), entry: entry(value, None), ttl: LONG }
    }

    async fn found(&self) -> Option<Hit> {
        self.port().hit(&self.name).await.unwrap()
    }

    async fn hit(&self) -> Option<String> {
        Some(self.found().await?.entry.value.decode().unwrap())
    }

    async fn look_up(&self, lease: Option<Duration>) -> Seen {
        match self.port().look_up(&self.name, LONG, lease, None).await.unwrap() {
            LookUp::Missed(seen) => seen,
            LookUp::Hit(hit) => panic!("it is no miss: {hit:?}"),
        }
    }

    async fn seen(&self) -> Seen {
        self.look_up(None).await
    }

    fn fill(&self, seen: &Seen, value: &str) -> Reply<bool> {
        self.port().fill(&self.name, seen, entry(value, None), LONG)
    }

    async fn load(&self, value: &str) {
        let seen = self.seen().await;
        assert!(self.fill(&seen, value).await.unwrap());
        assert_eq!(self.hit().await.as_deref(), Some(value));
    }

    async fn hold(&self, write: &Write) -> Held {
        self.port().hold(write, LONG).await.unwrap()
    }

    async fn end(&self, write: &Write, held: &Held, end: End) -> Ended {
        self.port().end(write, Some(held), end).await.unwrap()
    }

    async fn exists(&self, name: &str) -> bool {
        self.redis.raw(&[b"EXISTS", name.as_bytes()]).await
    }

    fn mark_name(&self) -> String {
        format!("{}/mark", name(&self.name.entity))
    }

    fn holds_name(&self) -> String {
        format!("{}/holds", name(&self.name.entity))
    }

    fn entry_name(&self) -> String {
        format!("{}/entry:", name(&self.name.entity))
    }

    fn lease_name(&self) -> String {
        format!("{}/lease:", name(&self.name.entity))
    }

    async fn clean(self) {
        self.redis.clean().await;
    }
}

fn token(seen: &Seen) -> Mark {
    match seen.lease {
        Lease::Taken(token) => token,
        _ => panic!("the lease is not this reader's: {seen:?}"),
    }
}
