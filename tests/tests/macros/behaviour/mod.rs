//! The attribute does not change the drop order, the laziness, `Send`, or the eager part of a function.
#![allow(missing_docs, reason = "tests")]
#![deny(warnings, clippy::all, clippy::pedantic)]
#![allow(clippy::large_types_passed_by_value, reason = "that is what is measured")]

mod drops;
mod flat;
mod send;
mod stack;

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use graceful::{Orchestrator, orchestrate};

thread_local! {
    static LOG: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn logged(run: impl FnOnce()) -> Vec<&'static str> {
    run();
    LOG.take()
}

/// Says when it is dropped.
struct Drops(&'static str);

impl Drop for Drops {
    fn drop(&mut self) {
        LOG.with_borrow_mut(|log| log.push(self.0));
    }
}

struct Pair(Drops, Drops);

fn poll_to_end<F: Future>(future: F) -> F::Output {
    let mut future = Box::pin(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

/// The same function, plain and annotated.
macro_rules! twins {
    ($($attribute:meta)? => $plain:ident $annotated:ident ($($arguments:tt)*) $body:block) => {
        async fn $plain($($arguments)*) -> Result<(), ()> $body
        $(#[$attribute])?
        async fn $annotated($($arguments)*) -> Result<(), ()> $body
    };
}

twins! {
    orchestrate(pattern = "n", id = 1) => plain annotated
    (first: Drops, _: Drops, Pair(second, third): Pair, _held: Drops, mut last: Drops) {
        let _local = Drops("local");
        tokio::task::yield_now().await;
        drop(second);
        last.0 = "last, changed";
        let _ = (&first, &third);
        Ok(())
    }
}

macro_rules! with_arguments {
    ($function:ident) => {
        $function(
            Drops("first"),
            Drops("unnamed"),
            Pair(Drops("second"), Drops("third")),
            Drops("held"),
            Drops("last"),
        )
    };
}

#[test]
fn arguments_and_locals_are_dropped_in_the_same_order() {
    let expected = logged(|| {
        poll_to_end(with_arguments!(plain)).unwrap();
    });
    assert_eq!(expected, ["second", "local", "last, changed", "held", "third", "unnamed", "first"]);
    let call = || {
        poll_to_end(with_arguments!(annotated)).unwrap();
    };
    assert_eq!(logged(call), expected);
    let orchestrator = Orchestrator::in_memory();
    let scoped = || {
        poll_to_end(orchestrator.scope(with_arguments!(annotated))).unwrap();
    };
    assert_eq!(logged(scoped), expected);
}

#[orchestrate(pattern = "n", id = 1)]
fn synchronous(first: Drops, _: Drops, last: Drops) -> Result<(), ()> {
    let _local = Drops("local");
    let _ = (&first, &last);
    Ok(())
}

#[test]
fn arguments_and_locals_of_sync_handlers_are_dropped_in_the_same_order() {
    let call = || synchronous(Drops("first"), Drops("unnamed"), Drops("last")).unwrap();
    assert_eq!(logged(call), ["local", "last", "unnamed", "first"]);
    let orchestrator = Orchestrator::in_memory();
    assert_eq!(logged(|| orchestrator.sync_scope(call)), ["local", "last", "unnamed", "first"]);
}

#[test]
fn future_that_is_never_polled_runs_nothing_and_drops_its_arguments_in_order() {
    let expected = logged(|| drop(with_arguments!(plain)));
    assert_eq!(logged(|| drop(with_arguments!(annotated))), expected);
}

#[orchestrate(pattern = "n", id = 1)]
fn eager_then_lazy(_first: &str) -> Pin<Box<dyn Future<Output = Result<(), ()>> + Send + '_>> {
    LOG.with_borrow_mut(|log| log.push("eager"));
    Box::pin(async move {
        LOG.with_borrow_mut(|log| log.push("lazy"));
        Ok(())
    })
}

#[test]
fn eager_part_of_a_function_stays_eager() {
    let orchestrator = Orchestrator::in_memory();
    assert_eq!(logged(|| drop(eager_then_lazy("x"))), ["eager"]);
    let polled = logged(|| poll_to_end(orchestrator.scope(eager_then_lazy("x"))).unwrap());
    assert_eq!(polled, ["eager", "lazy"]);
}

fn is_send<T: Send>(_: &T) {}

#[orchestrate(pattern = "n", id = 1)]
async fn holds_an_arc(shared: Arc<u64>) -> Result<u64, ()> {
    tokio::task::yield_now().await;
    Ok(*shared)
}

#[test]
fn future_is_send_when_its_contents_are() {
    is_send(&holds_an_arc(Arc::new(1)));
}

async fn plain_large(data: [u64; 64]) -> Result<u64, ()> {
    tokio::task::yield_now().await;
    Ok(data[0])
}

#[orchestrate(pattern = "n", id = 1)]
async fn annotated_large(data: [u64; 64]) -> Result<u64, ()> {
    tokio::task::yield_now().await;
    Ok(data[0])
}

#[test]
fn future_grows_by_a_constant() {
    let plain = size_of_val(&plain_large([0; 64]));
    let annotated = size_of_val(&annotated_large([0; 64]));
    assert!(annotated <= plain + 160, "{annotated} bytes instead of {plain}");
}

#[orchestrate(pattern = "n", id = 1)]
async fn fails_with_a_text() -> Result<u64, &'static str> {
    tokio::task::yield_now().await;
    Err("no")
}

#[orchestrate(pattern = "n", id = 1)]
async fn fails_with_anything() -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
    Err("no")?;
    Ok(1)
}

async fn seen(success: &graceful::Success<'_, u64>) -> Result<(), graceful::StepError> {
    let _ = success.value();
    tokio::task::yield_now().await;
    Ok(())
}

async fn one(failure: &graceful::Failure<'_, &'static str>) -> Option<u64> {
    tokio::task::yield_now().await;
    failure.error().map(|_| 1)
}

#[orchestrate(pattern = "n", id = 1, audit(ok = seen), fallback = one)]
async fn hooked_with_a_text() -> Result<u64, &'static str> {
    Err("no")
}

#[tokio::test]
async fn future_is_send_with_any_lifetimes_in_its_error() {
    is_send(&fails_with_a_text());
    is_send(&fails_with_anything());
    is_send(&hooked_with_a_text());
    let orchestrator = Orchestrator::in_memory();
    let scoped = orchestrator.clone();
    assert_eq!(tokio::spawn(async move { scoped.scope(hooked_with_a_text()).await }).await.unwrap(), Ok(1));
}
