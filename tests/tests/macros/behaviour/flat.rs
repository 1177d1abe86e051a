//! A plain handler becomes a function that returns one future. Nothing but the size of the future tells it from an `async fn`.

use std::{future::Future, sync::Arc, task::Context};

use graceful::{Orchestrator, orchestrate};
use tokio::task::yield_now;

use super::{Drops, LOG, Waker, is_send, logged, poll_to_end};

fn log(text: &'static str) -> &'static str {
    LOG.with_borrow_mut(|log| log.push(text));
    text
}

/// The bytes that a handler may add to the future of the plain function.
const ADDED: usize = 48;

#[allow(clippy::unused_async, reason = "the plain function, to compare with")]
async fn plain(data: [u64; 64]) -> Result<u64, ()> {
    Ok(data[0])
}

#[orchestrate(pattern = "n", cache = data[0], event)]
async fn annotated(data: [u64; 64]) -> Result<u64, ()> {
    Ok(data[0])
}

async fn plain_that_awaits(data: [u64; 64]) -> Result<u64, ()> {
    yield_now().await;
    Ok(data[0])
}

#[orchestrate(pattern = "n", cache = data[0], event)]
async fn annotated_that_awaits(data: [u64; 64]) -> Result<u64, ()> {
    yield_now().await;
    Ok(data[0])
}

#[test]
fn future_of_a_plain_handler_is_no_larger_than_allowed() {
    let data = [0; 64];
    let (bare, ours) = (size_of_val(&plain(data)), size_of_val(&annotated(data)));
    assert!(ours <= bare + ADDED, "{ours} bytes instead of {bare}");
    let (bare, ours) = (size_of_val(&plain_that_awaits(data)), size_of_val(&annotated_that_awaits(data)));
    assert!(ours <= bare, "{ours} bytes instead of {bare}");
}

#[orchestrate(pattern = "n", id = log("key"))]
async fn logs() -> Result<(), ()> {
    log("body");
    Ok(())
}

#[test]
fn keys_are_evaluated_at_the_first_poll() {
    let orchestrator = Orchestrator::in_memory();
    let mut call = None;
    assert_eq!(logged(|| call = Some(Box::pin(orchestrator.scope(logs())))), [""; 0]);
    let polled = logged(|| {
        let polled = call.as_mut().unwrap().as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_ready());
    });
    assert_eq!(polled, ["key", "body"]);
    assert_eq!(logged(|| drop(orchestrator.scope(logs()))), [""; 0], "it was never polled");
    assert_eq!(logged(|| poll_to_end(logs()).unwrap()), ["body"], "no orchestrator needs the key");
}

/// The key is the only use of the second parameter.
#[orchestrate(pattern = "n", id = second.0)]
async fn only_named(first: Drops, second: Drops, mut third: Drops) -> Result<(), ()> {
    third.0 = "third, changed";
    let _ = &first;
    yield_now().await;
    Ok(())
}

#[test]
fn parameter_that_only_the_declaration_names_is_dropped_in_order() {
    let orchestrator = Orchestrator::in_memory();
    let call = || only_named(Drops("first"), Drops("second"), Drops("third"));
    let expected = ["third, changed", "second", "first"];
    assert_eq!(logged(|| poll_to_end(call()).unwrap()), expected);
    assert_eq!(logged(|| poll_to_end(orchestrator.scope(call())).unwrap()), expected);
    assert_eq!(logged(|| drop(call())), ["first", "second", "third"]);
}

struct Store {
    name: String,
    _drops: Drops,
}

impl Store {
    #[orchestrate(pattern = "n", id = self.name)]
    pub async fn borrowed<'a>(&'a self, suffix: &str) -> Result<(&'a str, String), ()> {
        yield_now().await;
        Ok((&self.name, format!("{}{suffix}", self.name)))
    }

    #[orchestrate(pattern = "n", id = self.name)]
    pub async fn changed(&mut self, suffix: &str) -> Result<&mut String, ()> {
        self.name.push_str(suffix);
        yield_now().await;
        Ok(&mut self.name)
    }

    /// A part of `self` is moved; the other one is dropped with the body.
    #[orchestrate(pattern = "n", id = self.name)]
    pub async fn owned(self, _last: Drops) -> Result<String, ()> {
        yield_now().await;
        log("body");
        Ok(self.name)
    }

    #[orchestrate(pattern = "n", id = self.name)]
    pub async fn shared(self: Arc<Self>) -> Result<usize, ()> {
        Ok(self.name.len())
    }
}

#[test]
fn borrowed_and_owned_receivers() {
    let orchestrator = Orchestrator::in_memory();
    let mut store = Store { name: "a".to_owned(), _drops: Drops("rest") };
    let suffix = "b".to_owned();
    let call = store.borrowed(&suffix);
    is_send(&call);
    assert_eq!(poll_to_end(orchestrator.scope(call)), Ok(("a", "ab".to_owned())));
    poll_to_end(store.changed(&suffix)).unwrap().push('c');
    assert_eq!(
        poll_to_end(
            orchestrator.scope(Arc::new(Store { name: "xyz".to_owned(), _drops: Drops("shared") }).shared())
        ),
        Ok(3)
    );
    LOG.take();
    let dropped =
        logged(|| assert_eq!(poll_to_end(orchestrator.scope(store.owned(Drops("last")))).unwrap(), "abc"));
    assert_eq!(dropped, ["body", "last", "rest"]);
}

#[orchestrate(pattern = "n", id = n)]
async fn factorial(n: u64) -> Result<u64, ()> {
    match n {
        0 => Ok(1),
        _ => Ok(n * Box::pin(factorial(n - 1)).await?),
    }
}

#[test]
fn plain_handler_calls_itself_in_a_box() {
    let orchestrator = Orchestrator::in_memory();
    is_send(&factorial(5));
    assert_eq!(poll_to_end(factorial(5)), Ok(120));
    assert_eq!(poll_to_end(orchestrator.scope(factorial(5))), Ok(120));
}

/// Both lifetimes are captured in either edition, and the future may outlive none.
#[orchestrate(pattern = "n", id = a)]
async fn two_lifetimes<'b>(a: &str, b: &'b mut Vec<&str>, by: &dyn Fn(&str) -> bool) -> Result<&'b str, ()> {
    yield_now().await;
    b.iter().find(|text| by(text) && **text != a).copied().ok_or(())
}

#[test]
fn all_lifetimes_are_captured() {
    let (a, b) = ("a".to_owned(), "b".to_owned());
    let mut texts = vec![a.as_str(), b.as_str()];
    assert_eq!(poll_to_end(two_lifetimes(&a, &mut texts, &|_| true)), Ok("b"));
}

trait Makes: Sized {
    async fn make(n: u64) -> Result<Self, ()>;
    fn all() -> impl Future<Output = Result<Vec<Self>, ()>> + Send;
}

#[derive(Debug, PartialEq)]
struct Made(u64);

/// Functions without `self` do not show that they belong to a trait.
impl Makes for Made {
    #[orchestrate(pattern = "n", id = n)]
    async fn make(n: u64) -> Result<Self, ()> {
        Ok(Self(n))
    }

    #[orchestrate(pattern = "n", id = 1)]
    async fn all() -> Result<Vec<Self>, ()> {
        yield_now().await;
        Ok(vec![Self(1)])
    }
}

#[test]
fn associated_function_of_a_trait() {
    fn all<M: Makes>() -> Result<Vec<M>, ()> {
        let call = M::all();
        is_send(&call);
        poll_to_end(call)
    }

    assert_eq!(poll_to_end(Made::make(1)), Ok(Made(1)));
    assert_eq!(all(), Ok(vec![Made(1)]));
}
