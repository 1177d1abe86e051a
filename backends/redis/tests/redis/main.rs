//! The cache and the idempotent calls on a real Redis.

#[macro_use(test)]
extern crate graceful_tests;

mod bytes;
mod conformance;
mod faults;
mod fresh;
mod idempotent;
mod names;
mod read_through;
mod schedules;
mod start;

use std::{net::SocketAddr, process::ExitCode};

use ::redis::{AsyncConnectionConfig, aio::MultiplexedConnection};
use graceful::{
    Key, Payload,
    backends::{CacheEntry, Timestamp},
};
use graceful_redis::Cache;
use graceful_tests::servers::{self, unique};

fn main() -> ExitCode {
    graceful_tests::harness::main()
}

/// The server, with names of the test's own, which are removed by [`clean`](Self::clean).
#[derive(Clone)]
struct Redis {
    address: SocketAddr,
    service: String,
    raw: MultiplexedConnection,
}

impl Redis {
    async fn connect() -> Self {
        Self::at(servers::REDIS).await
    }

    async fn at(address: SocketAddr) -> Self {
        let client = ::redis::Client::open(url(address)).unwrap();
        // However busy the server is, a test waits for it.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let raw = client.get_multiplexed_async_connection_with_config(&config).await.unwrap();
        Self { address, service: unique("users"), raw }
    }

    fn key(&self, id: &str) -> Key {
        Key::new(&*self.service, Some("acme"), "user", id)
    }

    async fn cache(&self) -> Cache {
        Cache::connect(&url(self.address)).await.unwrap()
    }

    async fn raw<T: ::redis::FromRedisValue>(&self, words: &[&[u8]]) -> T {
        let mut command = ::redis::Cmd::new();
        command.arg(words);
        command.query_async(&mut self.raw.clone()).await.unwrap()
    }

    /// The bytes under a key.
    async fn bytes(&self, key: &Key) -> Option<Vec<u8>> {
        self.raw(&[b"GET", name(key).as_bytes()]).await
    }

    async fn clean(self) {
        let pattern = format!("graceful:{}:*", self.service);
        let names: Vec<String> = self.raw(&[b"KEYS", pattern.as_bytes()]).await;
        for name in names {
            let () = self.raw(&[b"DEL", name.as_bytes()]).await;
        }
    }
}

fn url(address: SocketAddr) -> String {
    format!("redis://{address}")
}

fn name(key: &Key) -> String {
    format!("graceful:{key}")
}

fn entry(value: &str, version: Option<i64>) -> CacheEntry {
    CacheEntry::new(Payload::of(value).unwrap(), Timestamp::UNIX_EPOCH, version)
}
