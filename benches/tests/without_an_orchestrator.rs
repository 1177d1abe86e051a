//! Without an orchestrator, an annotated handler allocates no more than the plain function, on both arms, async and sync.
//!
//! It is the only test of its program, because an orchestrator of another test would affect it.

use std::{
    fmt,
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use graceful::{Failure, Flow, Orchestrator, StepError, Success, orchestrate};
use graceful_benches::counting;

fn allocations<T>(run: impl FnOnce() -> T) -> u64 {
    let before = counting::allocations();
    drop(run());
    counting::allocations() - before
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

/// A future that is ready at its second poll.
struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// A value whose `Display` allocates, so that its evaluation is counted.
struct Key(u64);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_string())
    }
}

async fn hook(_: &Flow) -> Result<(), StepError> {
    Ok(())
}

async fn ok(_: &Success<'_, String>) -> Result<(), StepError> {
    Ok(())
}

async fn err(_: &Failure<'_, Failed>) -> Result<(), StepError> {
    Ok(())
}

async fn recover(_: &Failure<'_, Failed>) -> Option<String> {
    None
}

struct Failed;

impl From<StepError> for Failed {
    fn from(_: StepError) -> Self {
        Self
    }
}

/// The body of the handlers, which allocates itself.
fn work(fails: bool) -> Result<String, Failed> {
    if fails { Err(Failed) } else { Ok("a value".to_owned()) }
}

fn itself<T>(answer: T) -> T {
    answer
}

macro_rules! pairs {
    ($($name:ident: [$($signature:tt)*] { $($first:tt)* }, $run:ident;)*) => {$(
        mod $name {
            use super::*;

            $($signature)* plain(key: Key, fails: bool) -> Result<String, Failed> {
                let _moved = key;
                $($first)*
                work(fails)
            }

            #[orchestrate(pattern = "user", cache = key, event = "asked")]
            $($signature)* annotated(key: Key, fails: bool) -> Result<String, Failed> {
                let _moved = key;
                $($first)*
                work(fails)
            }

            #[orchestrate(
                pattern = "user",
                id = "{key}",
                cache(key = "{key}/{result}", ttl = "1m", version = 7, required, touches(order = [key, "{key}/1"])),
                metadata(value = [key.to_string()], with = hook),
                actor = key,
                message = "{key} was asked",
                event(name = "asked", payload = key.to_string()),
                graph(relation = "asked", to = key),
                audit = hook,
                alert(ok = ok, err = err, required),
                fallback = recover,
                tags = ["a", "b"],
                delivery = "inline"
            )]
            $($signature)* with_all(key: Key, fails: bool) -> Result<String, Failed> {
                let _moved = key;
                $($first)*
                work(fails)
            }

            pub fn check() {
                for (fails, expected) in [(false, 1), (true, 0)] {
                    let name = concat!(stringify!($name), ", fails: ");
                    // One call before, because the first call of a thread allocates more.
                    drop(($run(plain(Key(1), fails)), $run(annotated(Key(1), fails))));
                    assert_eq!(allocations(|| $run(plain(Key(1), fails))), expected, "{name}{fails}");
                    assert_eq!(allocations(|| $run(annotated(Key(1), fails))), expected, "{name}{fails}, annotated");
                    assert_eq!(allocations(|| $run(with_all(Key(1), fails))), expected, "{name}{fails}, with all");
                }
            }

            pub fn with_an_orchestrator(orchestrator: &Orchestrator) -> u64 {
                allocations(|| orchestrator.sync_scope(|| $run(annotated(Key(1), false))))
            }
        }
    )*};
}

pairs! {
    at_once: [async fn] {}, block_on;
    with_an_await: [async fn] { Pause(false).await; }, block_on;
    not_async: [fn] {}, itself;
}

#[test]
fn handler_without_an_orchestrator_allocates_like_the_plain_function() {
    assert_eq!(allocations(|| Box::new(1)), 1, "the count is one of allocations");
    at_once::check();
    with_an_await::check();
    not_async::check();

    // With an orchestrator there are allocations, so the count above would have seen them.
    let orchestrator = Orchestrator::in_memory();
    for counted in [
        at_once::with_an_orchestrator(&orchestrator),
        with_an_await::with_an_orchestrator(&orchestrator),
        not_async::with_an_orchestrator(&orchestrator),
    ] {
        assert!(counted > 5, "{counted}");
    }
}
