//! A future is `Send` if and only if the future of the plain function is.

use std::{cell::Cell, fmt::Debug, future::Future, marker::PhantomData, pin::Pin, rc::Rc, sync::Arc};

use graceful::orchestrate;
use tokio::task::yield_now;

const fn is_send<T: Send>(_: &T) {}

/// `true` where the type is `Send`: the inherent method wins over the trait's.
struct Probe<T>(PhantomData<T>);

trait NotSend {
    fn is_send(&self) -> bool {
        false
    }
}

impl<T> NotSend for Probe<T> {}

impl<T: Send> Probe<T> {
    #[allow(clippy::unused_self, reason = "it is found by method resolution")]
    const fn is_send(&self) -> bool {
        true
    }
}

macro_rules! sends {
    ($call:expr) => {{
        const fn probe<T>(_: &T) -> Probe<T> {
            Probe(PhantomData)
        }
        #[allow(unused_imports)]
        use NotSend as _;
        let future = $call;
        probe(&future).is_send()
    }};
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

trait Store: Send + Sync {
    fn get(&self) -> u64;
}

impl Store for u64 {
    fn get(&self) -> u64 {
        *self
    }
}

#[orchestrate(pattern = "n", id = text)]
async fn references(text: &str, store: &dyn Store, list: &mut Vec<u64>) -> Result<u64, AnyError> {
    yield_now().await;
    list.push(text.parse()?);
    Ok(store.get())
}

#[orchestrate(pattern = "n", id = 1)]
async fn generic<T: Send + Sync + Debug, F: Fn(&T) -> u64 + Send>(
    value: T,
    by: F,
) -> Result<T, &'static str> {
    let n = by(&value);
    yield_now().await;
    if n == 0 { Err("zero") } else { Ok(value) }
}

#[orchestrate(pattern = "n", id = 1)]
async fn nested(store: Arc<dyn Store>) -> Result<Vec<u64>, AnyError> {
    let mut list = Vec::new();
    let text = String::from("1");
    references(&text, &*store, &mut list).await?;
    let local = &list;
    generic(local, |list| list.len() as u64).await?;
    Ok(list)
}

#[orchestrate(pattern = "n", id = value.get())]
async fn not_sync(value: Cell<u64>) -> Result<u64, ()> {
    yield_now().await;
    Ok(value.get())
}

#[orchestrate(pattern = "n", id = 1)]
async fn holds_an_rc(value: Rc<u64>) -> Result<u64, ()> {
    yield_now().await;
    Ok(*value)
}

#[orchestrate(pattern = "n", id = 1)]
async fn passes_on<T: Debug>(value: T) -> Result<u64, T> {
    yield_now().await;
    Err(value)
}

#[orchestrate(pattern = "n", id = 1)]
async fn an_rc_before_the_await(n: u64) -> Result<u64, ()> {
    {
        let shared = Rc::new(n);
        assert_eq!(*shared, n);
    }
    yield_now().await;
    Ok(n)
}

#[orchestrate(pattern = "n", id = 1)]
fn opaque(n: u64) -> impl Future<Output = Result<u64, AnyError>> {
    async move { Ok(n) }
}

#[orchestrate(pattern = "n", id = 1)]
fn boxed<'a>(n: &'a u64) -> Pin<Box<dyn Future<Output = Result<&'a u64, &'a str>> + Send + 'a>> {
    Box::pin(async move { Ok(n) })
}

#[test]
fn send() {
    let mut list = vec![];
    is_send(&references("1", &1, &mut list));
    is_send(&generic(1, |n| *n));
    is_send(&nested(Arc::new(1)));
    is_send(&not_sync(Cell::new(1)));
    is_send(&an_rc_before_the_await(1));
    is_send(&opaque(1));
    is_send(&boxed(&1));
}

#[test]
fn not_send() {
    assert!(sends!(async { 1 }));
    assert!(!sends!(holds_an_rc(Rc::new(1))));
    assert!(!sends!(passes_on(Rc::new(1))));
    assert!(sends!(passes_on(Arc::new(1))));
}

#[tokio::test]
async fn nested_handler_runs_in_a_spawned_task() {
    let orchestrator = graceful::Orchestrator::in_memory();
    let store: Arc<dyn Store> = Arc::new(1_u64);
    let task = tokio::spawn(
        orchestrator.scope(async move { nested(store).await.map_err(|error| error.to_string()) }),
    );
    assert_eq!(task.await.unwrap(), Ok(vec![1]));
}
