//! Every shape of function: the right value on `Ok` and on `Err`, and both flows seen by a recorder.
#![allow(missing_docs, reason = "tests")]
#![forbid(unsafe_code)]
#![deny(warnings, clippy::all, clippy::pedantic)]

use std::{
    fmt::Display,
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex},
};

use graceful::{Classify, Ending, Orchestrator, orchestrate};

#[derive(Debug, Classify, PartialEq)]
#[classify(code = InvalidArgument, message = "odd")]
struct Odd;

#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<(Ending, String)>>>);

impl Recorder {
    fn orchestrator(&self) -> Orchestrator {
        let seen = Arc::clone(&self.0);
        Orchestrator::builder()
            .in_memory()
            .on_report(move |report| {
                let flow = report.flow();
                seen.lock().unwrap().push((flow.ending(), flow.entity_id().to_string()));
            })
            .build()
            .unwrap()
    }

    #[track_caller]
    fn saw(&self, expected: &[(Ending, &str)]) {
        let seen = std::mem::take(&mut *self.0.lock().unwrap());
        let seen: Vec<_> = seen.iter().map(|(ending, id)| (*ending, id.as_str())).collect();
        assert_eq!(seen, expected);
    }
}

/// Calls a handler with an even number and an odd one.
macro_rules! both_arms {
    ($call:expr) => {{
        let recorder = Recorder::default();
        let orchestrator = recorder.orchestrator();
        orchestrator
            .scope(async {
                assert_eq!($call(4).await, Ok(4));
                assert_eq!($call(3).await, Err(Odd));
            })
            .await;
        recorder.saw(&[(Ending::Ok, "4"), (Ending::Err, "3")]);
    }};
}

fn even(n: u64) -> Result<u64, Odd> {
    if n.is_multiple_of(2) { Ok(n) } else { Err(Odd) }
}

#[orchestrate(pattern = "n", id = n)]
async fn plain(n: u64) -> Result<u64, Odd> {
    tokio::task::yield_now().await;
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn early_return(n: u64) -> Result<u64, Odd> {
    if n == 4 {
        return Ok(n);
    }
    even(n)?;
    unreachable!()
}

type Answer<T = u64> = Result<T, Odd>;

#[orchestrate(pattern = "n", id = n)]
async fn alias(n: u64) -> Answer {
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
fn returns_impl_future(n: u64) -> impl Future<Output = Result<u64, Odd>> + Send {
    let twice = n * 2;
    async move {
        tokio::task::yield_now().await;
        even(n)?;
        Ok(twice - n)
    }
}

#[orchestrate(pattern = "n", id = n)]
fn passes_a_future_on(n: u64) -> impl Future<Output = Result<u64, Odd>> + Send {
    std::future::ready(even(n))
}

#[orchestrate(pattern = "n", id = n)]
fn boxed(n: u64) -> Pin<Box<dyn Future<Output = Result<u64, Odd>> + Send>> {
    Box::pin(async move { even(n) })
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[orchestrate(pattern = "n", id = n)]
fn boxed_elsewhere(n: &u64) -> BoxFuture<'_, Result<u64, Odd>> {
    let future = std::future::ready(even(*n));
    Box::pin(future)
}

#[orchestrate(pattern = "n", id = n)]
fn boxed_local(n: u64) -> Pin<Box<dyn Future<Output = Result<u64, Odd>>>> {
    let shared = Rc::new(n);
    Box::pin(async move { even(*shared) })
}

#[orchestrate(pattern = "n", id = n)]
async fn generic<T, const N: usize>(n: T, _list: [u8; N]) -> Result<T, Odd>
where
    T: Copy + Into<u64> + Display,
{
    even(n.into()).map(|_| n)
}

#[orchestrate(pattern = "n", id = n)]
async fn borrows<'a>(n: &'a u64, _other: &str) -> Result<&'a u64, Odd> {
    even(*n)?;
    Ok(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn impl_trait_both_ways(
    n: impl Into<u64> + Copy + Display,
) -> Result<impl PartialEq<u64> + std::fmt::Debug, Odd> {
    even(n.into())
}

struct Pair(u64, String);

#[orchestrate(pattern = "n", id = "{n}")]
async fn destructures(Pair(n, mut text): Pair, (_, _): (u8, u8), _: &str) -> Result<u64, Odd> {
    text.push('x');
    assert!(text.ends_with('x'));
    even(n)
}

#[orchestrate(pattern = "n", id = r#type)]
async fn raw(r#type: u64) -> Result<u64, Odd> {
    even(r#type)
}

#[orchestrate(pattern = "n", id = draft + site, actor = result)]
async fn our_names(draft: u64, site: u64, result: &str, error: (), flow: (), step: ()) -> Result<u64, Odd> {
    let (_, ()) = (result, error);
    let ((), ()) = (flow, step);
    even(draft + site)
}

macro_rules! made {
    ($name:ident, $argument:ident, $body:block) => {
        #[orchestrate(pattern = "n", id = $argument)]
        async fn $name($argument: u64) -> Result<u64, Odd> $body
    };
}

made!(by_a_macro, n, { even(n) });

#[orchestrate(pattern = "n", id = n)]
async fn recursive(n: u64, depth: u8) -> Result<u64, Odd> {
    if depth > 0 { Box::pin(recursive(n, depth - 1)).await } else { even(n) }
}

#[tokio::test]
async fn functions() {
    both_arms!(plain);
    both_arms!(early_return);
    both_arms!(alias);
    both_arms!(returns_impl_future);
    both_arms!(passes_a_future_on);
    both_arms!(boxed);
    both_arms!(async |n: u64| boxed_elsewhere(&n).await);
    both_arms!(boxed_local);
    both_arms!(|n: u64| generic(n, [0; 3]));
    both_arms!(async |n: u64| borrows(&n, "x").await.copied());
    both_arms!(async |n: u64| impl_trait_both_ways(n).await.map(|m| if m == n { n } else { 0 }));
    both_arms!(|n| destructures(Pair(n, String::new()), (1, 2), "x"));
    both_arms!(raw);
    both_arms!(|n: u64| our_names(n - 1, 1, "ada", (), (), ()));
    both_arms!(by_a_macro);
}

#[tokio::test]
async fn recursion() {
    let recorder = Recorder::default();
    recorder.orchestrator().scope(recursive(4, 2)).await.unwrap();
    recorder.saw(&[(Ending::Ok, "4"); 3]);
}

#[orchestrate(pattern = "n", id = n)]
fn sync(n: u64) -> Result<u64, Odd> {
    even(n)?;
    Ok(n)
}

#[orchestrate(pattern = "n", id = n)]
fn sync_mut(n: &mut u64) -> Result<&mut u64, Odd> {
    even(*n)?;
    Ok(n)
}

#[test]
fn sync_functions() {
    let recorder = Recorder::default();
    recorder.orchestrator().sync_scope(|| {
        assert_eq!(sync(4), Ok(4));
        assert_eq!(sync(3), Err(Odd));
        assert_eq!(sync_mut(&mut 4), Ok(&mut 4));
        assert_eq!(sync_mut(&mut 3), Err(Odd));
    });
    recorder.saw(&[(Ending::Ok, "4"), (Ending::Err, "3"), (Ending::Ok, "4"), (Ending::Err, "3")]);
}

struct Service {
    step: u64,
}

trait Handles {
    #[orchestrate(pattern = "n", id = n)]
    fn defaulted(&self, n: u64) -> Result<u64, Odd> {
        even(n)
    }
    fn implemented(&self, n: u64) -> impl Future<Output = Result<u64, Odd>> + Send;
}

impl Handles for Service {
    #[orchestrate(pattern = "n", id = self.step * n)]
    async fn implemented(&self, n: u64) -> Result<u64, Odd> {
        even(n)
    }
}

#[orchestrate(pattern = "n")]
impl Service {
    const STEP: u64 = 1;

    #[orchestrate(id = n)]
    async fn by_ref(&self, n: u64) -> Result<u64, Odd> {
        even(self.step * n)
    }

    #[orchestrate(id = self.step * n)]
    async fn by_mut(&mut self, n: u64) -> Result<u64, Odd> {
        self.step += 1;
        even(n)
    }

    #[orchestrate(id = n)]
    async fn by_value(self, n: u64) -> Result<u64, Odd> {
        even(self.step * n)
    }

    #[orchestrate(id = n)]
    async fn by_arc(self: Arc<Self>, n: u64) -> Result<u64, Odd> {
        even(self.step * n)
    }

    #[orchestrate(id = n)]
    async fn by_pin(self: Pin<&mut Self>, n: u64) -> Result<u64, Odd> {
        even(self.step * n)
    }

    #[orchestrate(id = n * Self::STEP)]
    async fn associated(n: u64) -> Result<u64, Odd> {
        even(n)
    }
}

#[tokio::test]
async fn methods() {
    let service = || Service { step: 1 };
    both_arms!(async |n| service().by_ref(n).await);
    both_arms!(async |n| service().by_mut(n).await);
    both_arms!(async |n| service().by_value(n).await);
    both_arms!(async |n| Arc::new(service()).by_arc(n).await);
    both_arms!(async |n| Pin::new(&mut service()).by_pin(n).await);
    both_arms!(Service::associated);
    both_arms!(async |n| service().implemented(n).await);
    both_arms!(async |n| Handles::defaulted(&service(), n));
}

#[async_trait::async_trait]
trait Dynamic {
    async fn outside(&self, pair: Pair) -> Result<u64, Odd>;
    async fn inside(&self, n: u64) -> Result<u64, Odd>;
    #[orchestrate(pattern = "n", id = n)]
    async fn defaulted(&self, n: u64) -> Result<u64, Odd> {
        even(n)
    }
}

#[async_trait::async_trait]
impl Dynamic for Service {
    #[orchestrate(pattern = "n", id = n * self.step)]
    async fn outside(&self, Pair(n, _): Pair) -> Result<u64, Odd> {
        even(n)?;
        Ok(n * self.step)
    }

    #[orchestrate(pattern = "n", id = "{n}")]
    async fn inside(&self, n: u64) -> Result<u64, Odd> {
        tokio::task::yield_now().await;
        even(n)
    }
}

#[tokio::test]
async fn async_trait() {
    let service: Box<dyn Dynamic + Sync> = Box::new(Service { step: 1 });
    let service = &*service;
    both_arms!(|n| service.outside(Pair(n, String::new())));
    both_arms!(|n| service.inside(n));
    both_arms!(|n| service.defaulted(n));
}

#[orchestrate(pattern = "n", id = n)]
async fn not_send(n: Rc<u64>) -> Result<u64, Odd> {
    tokio::task::yield_now().await;
    even(*n)
}

#[tokio::test]
async fn local_futures() {
    let local = tokio::task::LocalSet::new();
    local.run_until(async { both_arms!(|n| not_send(Rc::new(n))) }).await;
}

/// Types of the user's that are named like the language's.
mod shadowed {
    #![allow(dead_code, reason = "they are there to be in the way")]

    use super::{Odd, even, orchestrate};

    struct Ok;
    struct Err;
    struct Option;
    struct Box;
    struct String;
    mod core {}
    mod std {}
    mod graceful {}

    #[orchestrate(pattern = "n", id = n)]
    pub(super) async fn handler(n: u64) -> Result<u64, Odd> {
        even(n)
    }
}

#[tokio::test]
async fn shadowed_names() {
    both_arms!(shadowed::handler);
}

fn needs_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn send_where_the_plain_function_is() {
    both_arms!(|n| needs_send(plain(n)));
    both_arms!(|n| needs_send(returns_impl_future(n)));
}

#[tokio::test]
async fn a_future_made_elsewhere_runs_where_it_is_polled() {
    let (made, polled) = (Recorder::default(), Recorder::default());
    let future = made.orchestrator().sync_scope(|| passes_a_future_on(4));
    polled.orchestrator().scope(future).await.unwrap();
    made.saw(&[]);
    polled.saw(&[(Ending::Ok, "4")]);
}

#[orchestrate(pattern = "n", id = 1)]
fn never() -> impl Future<Output = Result<u64, Odd>> {
    std::future::pending()
}

#[test]
fn the_return_type_says_what_a_body_makes() {
    drop(never());
}

const fn same(n: u64) -> u64 {
    n
}

#[async_trait::async_trait]
trait Counts {
    async fn counted(&mut self, n: u64) -> Result<u64, Odd>;
    async fn owned(self: Box<Self>, n: u64) -> Result<u64, Odd>;
}

#[async_trait::async_trait]
impl Counts for Service {
    #[orchestrate(pattern = "n", id = self::same(n) * self.step)]
    async fn counted(&mut self, n: u64) -> Result<u64, Odd> {
        self.step += 1;
        even(n)
    }

    #[orchestrate(pattern = "n", id = format!("{}", n * self.step))]
    async fn owned(self: Box<Self>, n: u64) -> Result<u64, Odd> {
        even(n * self.step)
    }
}

#[tokio::test]
async fn async_trait_with_a_self_that_moves() {
    both_arms!(async |n| Service { step: 1 }.counted(n).await);
    both_arms!(async |n| Box::new(Service { step: 1 }).owned(n).await);
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

#[orchestrate(pattern = "n", id = n)]
fn blocks(n: u64) -> Result<u64, Odd> {
    run(async move { even(n) })
}

macro_rules! with_a_key {
    ($name:ident, $returned:ty, $tag:literal, $key:expr) => {
        #[orchestrate(pattern = "n", id = $key, tags = [$tag])]
        async fn $name(n: u64) -> $returned {
            even(n)
        }
    };
}

with_a_key!(keyed_by_the_result, Result<u64, Odd>, "tagged", result);

#[orchestrate(pattern = "n", id = "{n.to_string().trim_end_matches('}')}{\"\".replace(\"{{\", \"\")}")]
async fn braces_in_a_hole(n: u64) -> Result<u64, Odd> {
    even(n)
}

#[orchestrate(pattern = "n", id = n, actor = [*result].iter().map(|result| result + n).sum::<u64>())]
async fn result_shadowed_in_a_closure(n: u64) -> Result<u64, Odd> {
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn lint_of_a_parameter(#[allow(unused_mut)] mut n: u64) -> Result<u64, Odd> {
    even(n)
}

#[tokio::test]
async fn expressions_of_all_kinds() {
    both_arms!(async |n| blocks(n));
    both_arms!(braces_in_a_hole);
    both_arms!(result_shadowed_in_a_closure);
    both_arms!(lint_of_a_parameter);
    let recorder = Recorder::default();
    recorder.orchestrator().scope(keyed_by_the_result(4)).await.unwrap();
    recorder.saw(&[(Ending::Ok, "4")]);
}
