//! The store of idempotent calls: what the conformance suite cannot see, and faults.

mod history;
mod renewal;
mod resent;
mod restart;
mod rows;
mod settings;
mod unfit;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use graceful::{
    Payload,
    backends::{
        CallState, Claimed, Idempotency as _, IdempotentAnswer, IdempotentCall, KnownCall, StoredAnswer, Uuid,
    },
};
use graceful_redis::IdempotentCalls;
use graceful_tests::servers::Server;

use super::{Redis, url};

/// A time that no test waits for.
const LONG: Duration = Duration::from_secs(60);

/// The arguments of a server that forgets nothing.
pub(super) const FIT: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

/// A server of the test's own, and a call.
struct Case {
    server: Server,
    redis: Redis,
    calls: IdempotentCalls,
    call: IdempotentCall,
}

impl Case {
    async fn new() -> Self {
        let server = Server::redis(&FIT).await;
        let calls = IdempotentCalls::connect(&url(server.address())).await.unwrap().timeout(LONG);
        let redis = Redis::at(server.address()).await;
        let call = call("shop::pay:42");
        Self { server, redis, calls, call }
    }

    async fn claim(&self, call: &IdempotentCall) -> Claimed {
        self.calls.claim(call.clone(), LONG).await.unwrap()
    }

    async fn answer(&self, call: &IdempotentCall, value: &str) -> bool {
        self.calls.answer(answer(call, value)).await.unwrap()
    }

    /// What a repetition finds.
    async fn state(&self) -> CallState {
        match self.claim(&again(&self.call)).await {
            Claimed::Known(known) => known.state,
            Claimed::New => panic!("the call is not known"),
        }
    }

    async fn is_running(&self) -> bool {
        matches!(self.state().await, CallState::Running(_))
    }

    /// Whether there is a row, which a claim would add.
    async fn exists(&self) -> bool {
        self.redis.raw(&[b"EXISTS", name(&self.call).as_bytes()]).await
    }

    /// The time until the row expires, in milliseconds.
    async fn left(&self) -> i64 {
        self.redis.raw(&[b"PTTL", name(&self.call).as_bytes()]).await
    }

    async fn set(&self, setting: &str, value: &str) {
        let () = self.redis.raw(&[b"CONFIG", b"SET", setting.as_bytes(), value.as_bytes()]).await;
    }
}

/// A call that nobody has made before.
fn call(name: &str) -> IdempotentCall {
    named([name])
}

fn named<const N: usize>(names: [&str; N]) -> IdempotentCall {
    static TOKENS: AtomicU64 = AtomicU64::new(1);
    let token = Uuid::from_u128(TOKENS.fetch_add(1, Ordering::Relaxed).into());
    IdempotentCall::new(names.map(str::to_owned), token, None)
}

/// A repetition of a call.
fn again(call: &IdempotentCall) -> IdempotentCall {
    IdempotentCall::new(call.names.to_vec(), self::call("").token, call.request)
}

fn value(value: &str) -> StoredAnswer {
    StoredAnswer::Value(Payload::of(value).unwrap())
}

fn answer(call: &IdempotentCall, answer: &str) -> IdempotentAnswer {
    IdempotentAnswer::new(call.clone(), value(answer), LONG)
}

fn answered(answer: &str) -> CallState {
    CallState::Answered(value(answer))
}

/// The name of the row of a call with one name.
fn name(call: &IdempotentCall) -> String {
    format!("graceful:idempotent/{}", call.names[0])
}
