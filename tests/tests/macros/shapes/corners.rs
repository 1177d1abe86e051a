//! Corner cases that broke other macros.

use std::{
    borrow::Cow,
    cell::RefCell,
    convert::Infallible,
    fmt::{Debug, Display},
    future::Future,
    ops::Deref,
    pin::Pin,
    sync::Arc,
};

use graceful::orchestrate;

use super::{Odd, both, both_sync, even, flows};

/// The temporary of the tail borrows a parameter that is a local of the expansion.
#[orchestrate(pattern = "n", id = n)]
async fn tail_borrows(n: u64, mut cell: RefCell<u64>) -> Result<u64, Odd> {
    *cell.get_mut() = n;
    even(*cell.borrow())
}

#[orchestrate(pattern = "n", id = n)]
fn tail_borrows_sync(n: u64, mut cell: RefCell<u64>) -> Result<u64, Odd> {
    *cell.get_mut() = n;
    even(*cell.borrow())
}

#[orchestrate(pattern = "n", id = n)]
async fn or_patterns((Ok(n) | Err(n)): Result<u64, u64>) -> Result<u64, Odd> {
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn or_patterns_mut((Ok(mut n) | Err(mut n)): Result<u64, u64>, last: String) -> Result<u64, Odd> {
    n += 1;
    drop(last);
    even(n - 1)
}

struct App {
    db: u64,
    name: String,
}

#[orchestrate(pattern = "n", id = db)]
async fn shorthand_fields(
    App { mut db, ref name }: App,
    &mut (ref mut a, b): &mut (u64, u64),
) -> Result<u64, Odd> {
    *a += b;
    db += u64::try_from(name.len()).unwrap();
    even(db)
}

#[orchestrate(pattern = "n", id = n)]
async fn unit_struct_pattern(Odd: Odd, n: u64) -> Result<u64, Odd> {
    if n % 2 == 1 { Err(Odd) } else { Ok(n) }
}

macro_rules! result {
    ($ok:ty) => { Result<$ok, Odd> };
}

macro_rules! pair {
    ($type:ty) => {
        ($type, $type)
    };
}

#[orchestrate(pattern = "n", id = pair.0)]
async fn type_macros(pair: pair!(u64)) -> result!(u64) {
    even(pair.0 * pair.1)
}

#[orchestrate(pattern = "n", id = n)]
async fn generic_error<E: From<Odd>>(n: u64) -> Result<u64, E> {
    Ok(even(n)?)
}

#[orchestrate(pattern = "n", id = n)]
async fn generic_everything<T, E>(n: u64, value: T, error: E) -> Result<T, E> {
    match even(n) {
        Ok(_) => Ok(value),
        Err(Odd) => Err(error),
    }
}

/// Not an `Error`, as `eyre::Report` is none, but made from every one.
struct Report(Box<dyn std::error::Error + Send + Sync>);

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Report {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

#[orchestrate(pattern = "n", id = n)]
async fn report(n: u64) -> Result<u64, Report> {
    let n = n.to_string().parse::<u64>()?;
    tokio::time::timeout(std::time::Duration::from_secs(60), async { even(n) }).await??;
    Ok(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn nested_opaque(
    n: u64,
    list: impl Iterator<Item = impl Into<u64>>,
    by: impl for<'a> Fn(&'a str) -> Result<&'a str, Odd>,
) -> Result<u64, Odd> {
    assert_eq!(by("x")?, "x");
    even(n + list.map(Into::into).sum::<u64>())
}

#[orchestrate(pattern = "n", id = n)]
async fn async_bounds<F, G>(n: u64, by: F, other: G) -> Result<u64, Odd>
where
    F: for<'a> AsyncFn(&'a u64) -> Result<&'a u64, Odd>,
    G: for<'a> Fn(&'a u64) -> Pin<Box<dyn Future<Output = u64> + Send + 'a>>,
{
    let n = by(&n).await?;
    even(other(n).await)
}

#[orchestrate(pattern = "n", id = n)]
async fn makes_a_future(n: u64) -> Result<impl Future<Output = u64>, Odd> {
    even(n)?;
    Ok(async move { n })
}

#[orchestrate(pattern = "n", id = n)]
async fn never_ends_well(n: u64) -> Result<Infallible, u64> {
    let mut m = 0;
    loop {
        tokio::task::yield_now().await;
        if m == n {
            return Err(m);
        }
        m += 1;
    }
}

#[orchestrate(pattern = "n", id = n)]
async fn lengths(n: u64, [first, ..]: [u64; 1 + 1], _: [(); 4 / 2]) -> Result<[u64; 1 + 1], Odd> {
    Ok([even(n)?, first])
}

#[orchestrate(pattern = "n", id = { let by = |m: u64| m * n; by(1) }, actor = match n { 4 => "four", _ => "other" })]
async fn long_expressions(n: u64) -> Result<u64, Odd> {
    even(n)
}

#[orchestrate(pattern = "n", id = (n << 1) / 2, actor = -1_i8, metadata = (n, "x"), when = n > 0 && n != 1 || n < 9)]
async fn operators(n: u64) -> Result<u64, Odd> {
    even(n)
}

struct Service(u64);

impl Deref for Service {
    type Target = str;

    fn deref(&self) -> &str {
        if self.0 == 1 { "4" } else { "0" }
    }
}

impl Service {
    fn run(&self) -> u64 {
        self.0
    }

    #[orchestrate(pattern = "n", id = { let by = |m: u64| m * self.run(); by(n) })]
    async fn call(&self, n: u64) -> Result<u64, Odd> {
        even(n * self.run())
    }

    #[orchestrate(pattern = "n", id = n)]
    async fn recursive(self: &Arc<Self>, n: u64, depth: u64) -> Result<u64, Odd> {
        if depth == 0 {
            return even(n);
        }
        let this = Arc::clone(self);
        Box::pin(this.recursive(n, depth - 1)).await
    }

    #[orchestrate(pattern = "n", id = n)]
    async fn cow<'a>(&'a self, n: u64, text: Cow<'a, str>) -> Result<Cow<'a, str>, Odd> {
        even(n)?;
        Ok(if text.is_empty() { Cow::Borrowed(self) } else { text })
    }

    #[orchestrate(pattern = "n", id = n)]
    #[allow(clippy::needless_lifetimes, reason = "that is the shape")]
    async fn pinned<'a>(self: Pin<&'a mut Self>, n: u64) -> Result<&'a mut u64, Odd> {
        even(n)?;
        Ok(&mut Pin::into_inner(self).0)
    }
}

trait Handle<T: ?Sized> {
    async fn handle(&mut self, n: u64, with: &T) -> Result<u64, Odd>;
}

impl<T: ?Sized + Debug, U: Display> Handle<T> for &mut Vec<U> {
    #[orchestrate(pattern = "n", id = n, metadata = (), actor = self.len())]
    async fn handle(&mut self, n: u64, with: &T) -> Result<u64, Odd> {
        assert_eq!(format!("{with:?}"), "\"x\"");
        self.clear();
        even(n)
    }
}

impl<F> Handle<str> for (F,)
where
    F: AsyncFnMut(u64) -> Result<u64, Odd>,
{
    #[orchestrate(pattern = "n", id = n)]
    async fn handle(&mut self, n: u64, _: &str) -> Result<u64, Odd> {
        (self.0)(n).await
    }
}

/// What `#[async_recursion]` and its like make.
#[orchestrate(pattern = "n", id = n)]
fn desugared<'life0, 'async_recursion>(
    n: u64,
    text: &'life0 str,
) -> ::core::pin::Pin<Box<dyn ::core::future::Future<Output = Result<u64, Odd>> + 'async_recursion + Send>>
where
    'life0: 'async_recursion,
{
    Box::pin(async move {
        assert_eq!(text, "x");
        even(n)
    })
}

#[tokio::main(flavor = "current_thread")]
#[orchestrate(pattern = "n", id = n)]
async fn main_outside(n: u64) -> Result<u64, Odd> {
    tokio::task::yield_now().await;
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
#[tokio::main(flavor = "current_thread")]
async fn main_inside(n: u64) -> Result<u64, Odd> {
    tokio::task::yield_now().await;
    even(n)
}

#[tokio::test]
#[orchestrate(pattern = "n")]
async fn a_test_outside() -> Result<(), Odd> {
    even(4).map(|_| ())
}

#[test]
#[orchestrate(pattern = "n")]
fn a_test() -> Result<(), Odd> {
    even(4).map(|_| ())
}

#[test]
fn parameters() {
    both(async |n| tail_borrows(n, RefCell::new(0)).await);
    both_sync(|n| tail_borrows_sync(n, RefCell::new(0)));
    both(async |n| or_patterns(Ok(n)).await);
    both(async |n| or_patterns_mut(Err(n), String::new()).await);
    both(async |n| shorthand_fields(App { db: n, name: String::new() }, &mut (0, 1)).await);
    both(async |n| unit_struct_pattern(Odd, n).await);
    both(async |n| type_macros((n, 1)).await);
    both(async |n| lengths(n, [0; 2], [(); 2]).await.map(|list| list[0]));
}

#[test]
fn generics() {
    both(generic_error);
    both(async |n| generic_everything(n, n, Odd).await);
    both(async |n| report(n).await.map_err(|report| *report.0.downcast().unwrap()));
    both(async |n| nested_opaque(n, [0_u8].into_iter(), |text| Ok(text)).await);
    both(async |n| async_bounds(n, async |n: &u64| Ok(n), |n| Box::pin(async move { *n })).await);
    both(async |n| Ok(makes_a_future(n).await?.await));
    let seen = flows(async || assert_eq!(never_ends_well(3).await, Err(3)));
    assert_eq!(seen.len(), 1);
}

#[test]
fn expressions() {
    both(long_expressions);
    both(operators);
    both(async |n| Service(1).call(n).await);
}

#[test]
fn methods() {
    both(async |n| Service(1).cow(n, "".into()).await.map(|text| text.parse().unwrap()));
    both(async |n| Pin::new(&mut Service(1)).pinned(n).await.map(|one| *one * n));
    both(async |n| (&mut vec![1]).handle(n, "x").await);
    both(async |n| (async |n| even(n),).handle(n, "x").await);
    let seen = flows(async || assert_eq!(Arc::new(Service(1)).recursive(4, 2).await, Ok(4)));
    assert_eq!(seen.len(), 3);
}

#[test]
fn beside_other_macros() {
    both(async |n| desugared(n, "x").await);
    assert_eq!((main_outside(4), main_outside(3)), (Ok(4), Err(Odd)));
    assert_eq!((main_inside(4), main_inside(3)), (Ok(4), Err(Odd)));
}
