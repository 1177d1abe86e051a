//! Handlers that are answered from the cache, and handlers that say which other entities they touch or show.

use std::{cell::Cell, collections::BTreeSet, future::Future, pin::Pin};

use axum::Json;
use graceful::{Orchestrator, orchestrate};
use graceful_tests::shapes::run;
use serde::{Deserialize, Serialize};
use tonic::Response;

use super::{Odd, both, both_sync, even};

thread_local! {
    /// How often a body has run.
    static LOADS: Cell<u64> = const { Cell::new(0) };
}

fn load(n: u64) -> Result<u64, Odd> {
    LOADS.set(LOADS.get() + 1);
    even(n)
}

/// Calls a reader twice with each number, so that the second `Ok` is a hit, with an orchestrator and without.
#[track_caller]
fn reads(call: impl AsyncFn(u64) -> Result<u64, Odd>) {
    assert_eq!(loads(&call), [3, 4]);
}

/// How often the body has run with an orchestrator and without.
#[track_caller]
fn loads(call: impl AsyncFn(u64) -> Result<u64, Odd>) -> [u64; 2] {
    let calls = async || {
        let before = LOADS.get();
        let answers = [call(4).await, call(4).await, call(3).await, call(3).await];
        assert_eq!(answers, [Ok(4), Ok(4), Err(Odd), Err(Odd)]);
        LOADS.get() - before
    };
    [run(Orchestrator::in_memory().scope(calls())), run(calls())]
}

#[track_caller]
fn reads_sync(call: impl Fn(u64) -> Result<u64, Odd>) {
    reads(async |n| call(n));
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Number {
    n: u64,
    name: String,
}

impl Number {
    fn even(n: u64) -> Result<Self, Odd> {
        load(n).map(|n| Self { n, name: "even".to_owned() })
    }
}

#[orchestrate(pattern = "n", cache(key = n, read))]
async fn read(n: u64) -> Result<u64, Odd> {
    tokio::task::yield_now().await;
    load(n)
}

#[orchestrate(pattern = "n", cache(key = "{n}", read))]
fn read_at_once(n: u64) -> Result<u64, Odd> {
    load(n)
}

#[orchestrate(pattern = "n", cache(key = n, read))]
fn read_later(n: u64) -> impl Future<Output = Result<u64, Odd>> {
    async move { load(n) }
}

#[orchestrate(pattern = "n", cache(key = n, read))]
fn read_in_a_box(n: u64) -> Pin<Box<dyn Future<Output = Result<u64, Odd>> + Send>> {
    Box::pin(async move { load(n) })
}

/// Parameters that the body takes, and that are not `Copy`.
#[orchestrate(
    pattern = "n",
    actor = who,
    when = number.n < 9,
    payload = result.name,
    audit(payload),
    cache(
        key = "{who}/{number.n}",
        ttl = "9m",
        read,
        refresh = "8m",
        wait = "1s",
        lag = "500ms",
        rev = 2,
        per_actor,
        unwritten,
        depends_on(name = number.name, list = list, all = (), both = [who, "{who}/{number.n}", list.first()])
    )
)]
async fn read_with_everything(who: String, number: Number, list: Vec<String>) -> Result<Number, Odd> {
    let _ = (who, list);
    Number::even(number.n)
}

struct Numbers {
    orchestrator: Orchestrator,
}

#[async_trait::async_trait]
trait Reads {
    async fn read(&self, n: u64) -> Result<u64, Odd>;
}

#[orchestrate(pattern = "n", cache(key = n, read))]
#[async_trait::async_trait]
impl Reads for Numbers {
    #[orchestrate]
    async fn read(&self, n: u64) -> Result<u64, Odd> {
        tokio::task::yield_now().await;
        load(n)
    }
}

impl Numbers {
    #[orchestrate(pattern = "n", cache(key = n, read), on = self.orchestrator)]
    async fn read_on(&self, n: u64) -> Result<u64, Odd> {
        load(n)
    }

    #[orchestrate(pattern = "n", cache(key = n, read), on = self.orchestrator, fallback = last_good)]
    fn read_on_at_once(&self, n: u64) -> Result<u64, Odd> {
        load(n)
    }
}

#[orchestrate(pattern = "n", cache(key = n, read))]
async fn read_generic<T>(n: T) -> Result<T, Odd>
where
    T: Into<u64> + std::fmt::Display + Copy + Serialize + for<'de> Deserialize<'de>,
{
    load(n.into()).map(|_| n)
}

#[orchestrate(pattern = "n", cache(key = n, read), alert(err = seen))]
async fn read_json(n: u64) -> Result<Json<Number>, Odd> {
    Number::even(n).map(Json)
}

async fn seen(_: &graceful::Failure<'_, Odd>) -> Result<(), graceful::StepError> {
    Ok(())
}

#[orchestrate(pattern = "n", cache(key = n, read), payload = result.get_ref().n)]
async fn read_response(n: u64) -> Result<Response<Number>, Odd> {
    Number::even(n).map(Response::new)
}

#[orchestrate(pattern = "n", cache(key = (), read))]
async fn read_option() -> Result<Option<Number>, Odd> {
    load(2).map(|_| None)
}

#[test]
fn reader_of_each_shape_answers_as_its_body() {
    reads(read);
    reads_sync(read_at_once);
    reads(read_later);
    reads(read_in_a_box);
    reads(read_generic);
    // Its marks are younger than `lag`, so nothing is stored.
    let with_everything = loads(async |n| {
        let number = Number { n, name: "four".to_owned() };
        let list = vec!["a".to_owned()];
        read_with_everything("ada".to_owned(), number, list).await.map(|number| number.n)
    });
    assert_eq!(with_everything, [4, 4]);
}

#[test]
fn reader_that_is_a_method_answers_as_its_body() {
    let numbers = || Numbers { orchestrator: Orchestrator::in_memory() };
    let read = numbers();
    reads(async |n| read.read(n).await);
    // These have an orchestrator in both cases, and the first has cached the value for the second.
    let read_on = numbers();
    assert_eq!(loads(async |n| read_on.read_on(n).await), [3, 2]);
    let at_once = numbers();
    assert_eq!(loads(async |n| at_once.read_on_at_once(n)), [3, 2]);
}

#[test]
fn reader_of_a_wrapped_value_answers_as_its_body() {
    reads(async |n| read_json(n).await.map(|Json(number)| number.n));
    reads(async |n| read_response(n).await.map(|response| response.get_ref().n));
    run(Orchestrator::in_memory().scope(async {
        let before = LOADS.get();
        for _ in 0..3 {
            assert!(read_option().await.unwrap().is_none());
        }
        assert_eq!(LOADS.get() - before, 1);
    }));
}

#[orchestrate(
    pattern = "n",
    cache(
        key = n,
        shared,
        rev = 2,
        touches(one = name, list = list, set = set, r#type = Some(n), both = [name, list.first(), "{name}/{n}"], "n-th" = n),
        depends_on(all = "()", iterated = list.iter().map(String::len))
    )
)]
async fn write(n: u64, name: String, list: Vec<String>, set: &BTreeSet<u64>) -> Result<u64, Odd> {
    let _ = (name, list, set);
    even(n)
}

#[orchestrate(pattern = "n", cache(key = n, touches(list = ids)))]
fn write_at_once(n: u64, ids: &[u64]) -> Result<u64, Odd> {
    let _ = ids;
    even(n)
}

#[test]
fn writer_that_touches_other_entities_answers_as_its_body() {
    let set = BTreeSet::from([1]);
    both(async |n| write(n, "a".to_owned(), vec!["b".to_owned()], &set).await);
    both_sync(|n| write_at_once(n, &[1, 2]));
}
