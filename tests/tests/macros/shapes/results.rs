//! Every spelling of a `Result` as the return type, with values and errors of all kinds.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell, RefMut},
    collections::HashMap,
    convert::Infallible,
    error::Error,
    fmt::{Debug, Display},
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard},
};

use graceful::{CallOutcome, orchestrate};

use super::{Odd, both, even, flows};

pub type Answer<T = u64> = Result<T, Odd>;
type Number = Answer;
type Other<E> = Result<u64, E>;

#[orchestrate(pattern = "n", id = n)]
async fn plain(n: u64) -> Result<u64, Odd> {
    tokio::task::yield_now().await;
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn alias(n: u64) -> Answer {
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn alias_of_an_alias(n: u64) -> Number {
    Ok(even(n)?)
}

#[orchestrate(pattern = "n", id = n)]
async fn alias_of_the_error(n: u64) -> Other<Odd> {
    Ok(even(n)?)
}

#[orchestrate(pattern = "n", id = n)]
async fn by_its_path(n: u64) -> ::core::result::Result<u64, self::Odd> {
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
#[allow(unused_parens, reason = "a macro may write them")]
async fn in_parentheses(n: u64) -> (Result<u64, Odd>) {
    even(n)
}

trait Answers {
    type Answer;
    type Error;
}

impl Answers for u64 {
    type Answer = Result<Self, Odd>;
    type Error = Odd;
}

#[orchestrate(pattern = "n", id = n)]
async fn projected(n: u64) -> <u64 as Answers>::Answer {
    Ok(even(n)?)
}

#[orchestrate(pattern = "n", id = n)]
async fn projected_error(n: u64) -> Result<u64, <u64 as Answers>::Error> {
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn anyhow_error(n: u64) -> anyhow::Result<u64> {
    anyhow::ensure!(n > 1, "too small");
    let n = even(n)?;
    if n > 100 {
        anyhow::bail!("too large");
    }
    Ok(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn boxed_error(n: u64) -> Result<u64, Box<dyn Error + Send + Sync>> {
    if n > 100 {
        return Err("too large".into());
    }
    let parsed: u64 = n.to_string().parse()?;
    Ok(even(parsed)?)
}

#[orchestrate(pattern = "n", id = n)]
async fn boxed_error_of_this_thread(n: u64) -> Result<u64, Box<dyn Error>> {
    even(n).map_err(Into::into)
}

#[orchestrate(pattern = "n", id = n)]
async fn coerced_error(n: u64) -> Result<u64, Box<dyn Error>> {
    if n % 2 == 1 {
        return Err(Box::new(Odd));
    }
    Ok(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn error_by_impl_trait(n: u64) -> Result<u64, impl Display> {
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn nothing(n: u64) -> Result<(), Odd> {
    even(n)?;
    Ok(())
}

#[orchestrate(pattern = "n", id = n)]
async fn no_error_value(n: u64) -> Result<u64, ()> {
    even(n).map_err(|_| ())
}

#[orchestrate(pattern = "n", id = n)]
async fn infallible(n: u64) -> Result<u64, Infallible> {
    Ok(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn always_fails(n: u64) -> Result<Infallible, u64> {
    Err(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn opaque(n: u64) -> Result<impl PartialEq<u64> + Debug, Odd> {
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn opaque_inside<T: Debug>(n: u64, _: T) -> Result<Vec<Option<impl Into<u64> + use<T>>>, Odd> {
    even(n).map(|n| vec![Some(n)])
}

#[orchestrate(pattern = "n", id = n)]
async fn coerced(n: u64) -> Result<Box<dyn ToString>, Odd> {
    even(n)?;
    Ok(Box::new(n))
}

#[orchestrate(pattern = "n", id = n)]
async fn coerced_both_ways(n: u64) -> Result<Rc<dyn ToString>, Box<dyn Error + Send>> {
    if n % 2 == 1 { Err(Box::new(Odd)) } else { Ok(Rc::new(n)) }
}

#[orchestrate(pattern = "n", id = n)]
async fn coerced_in_a_list(n: u64) -> Result<Vec<Box<dyn Fn(u64) -> u64 + Send>>, Odd> {
    let n = even(n)?;
    Ok(vec![Box::new(move |m| n + m), Box::new(|m| m)])
}

#[orchestrate(pattern = "n", id = n)]
async fn coerced_slice(n: u64) -> Result<&'static [u64], Odd> {
    even(n)?;
    Ok(&[4])
}

#[orchestrate(pattern = "n", id = n)]
async fn function_pointer(n: u64) -> Result<fn(u64) -> u64, Odd> {
    even(n)?;
    Ok(|n| n + 1)
}

#[orchestrate(pattern = "n", id = n)]
async fn opaque_closure(n: u64) -> Result<impl Fn(u64) -> u64, Odd> {
    let n = even(n)?;
    Ok(move |m| m + n)
}

#[orchestrate(pattern = "n", id = n)]
async fn inferred(n: u64) -> Result<HashMap<u64, Vec<String>>, Odd> {
    even(n)?;
    Ok([(n, vec![n.to_string()]), (0, vec![])].into_iter().collect())
}

#[orchestrate(pattern = "n", id = n)]
async fn collected(n: u64) -> Result<Vec<u64>, Odd> {
    [n, n].into_iter().map(even).collect()
}

#[orchestrate(pattern = "n", id = n)]
#[allow(clippy::default_trait_access, reason = "that is the shape")]
async fn defaulted(n: u64) -> Result<Option<Vec<u8>>, Odd> {
    even(n).map(|_| Default::default())
}

#[orchestrate(pattern = "n", id = n)]
async fn nested(n: u64) -> Result<Result<u64, Odd>, Odd> {
    even(n).map(Ok)
}

#[orchestrate(pattern = "n", id = n)]
async fn tuple_and_array<const N: usize>(n: u64) -> Result<([u64; N], &'static str), Odd> {
    Ok(([even(n)?; N], "x"))
}

#[orchestrate(pattern = "n", id = n)]
async fn cow(n: u64, text: &str) -> Result<Cow<'_, str>, Odd> {
    even(n)?;
    Ok(if text.is_empty() { "empty".into() } else { Cow::Borrowed(text) })
}

#[orchestrate(pattern = "n", id = n)]
async fn boxed_iterator<'a>(n: u64, list: &'a [u64]) -> Result<Box<dyn Iterator<Item = u64> + 'a>, Odd> {
    even(n)?;
    Ok(Box::new(list.iter().copied()))
}

#[orchestrate(pattern = "n", id = n)]
async fn opaque_iterator(n: u64, list: &[u64]) -> Result<impl Iterator<Item = u64> + '_, Odd> {
    even(n)?;
    Ok(list.iter().copied().filter(move |m| *m == n))
}

#[orchestrate(pattern = "n", id = n)]
async fn guard(n: u64, cell: &RefCell<u64>) -> Result<RefMut<'_, u64>, Odd> {
    even(n)?;
    let mut guard = cell.borrow_mut();
    *guard = n;
    Ok(guard)
}

#[orchestrate(pattern = "n", id = n)]
async fn guard_of_a_mutex(n: u64, mutex: &Mutex<u64>) -> Result<MutexGuard<'_, u64>, Odd> {
    even(n)?;
    Ok(mutex.lock().unwrap())
}

#[orchestrate(pattern = "n", id = n)]
async fn neither_sync_nor_clone(n: u64) -> Result<Cell<u64>, Cell<Odd>> {
    even(n).map(Cell::new).map_err(Cell::new)
}

#[orchestrate(pattern = "n", id = n)]
#[allow(clippy::needless_lifetimes, reason = "that is the shape")]
async fn borrowed_error<'a>(n: u64, text: &'a str) -> Result<u64, &'a str> {
    even(n).map_err(|_| text)
}

#[orchestrate(pattern = "n", id = n)]
async fn io_error(n: u64) -> std::io::Result<u64> {
    even(n).map_err(std::io::Error::other)
}

/// The shape whose error is not `Odd`.
fn odd<T, E>(result: Result<T, E>) -> Result<T, Odd> {
    result.map_err(|_| Odd)
}

#[test]
fn spellings() {
    both(plain);
    both(alias);
    both(alias_of_an_alias);
    both(alias_of_the_error);
    both(by_its_path);
    both(in_parentheses);
    both(projected);
    both(projected_error);
}

#[test]
fn errors() {
    both(async |n| odd(anyhow_error(n).await));
    both(async |n| odd(boxed_error(n).await));
    both(async |n| odd(boxed_error_of_this_thread(n).await));
    both(async |n| odd(coerced_error(n).await));
    both(async |n| odd(error_by_impl_trait(n).await));
    both(async |n| odd(no_error_value(n).await));
    both(async |n| odd(borrowed_error(n, "no").await));
    both(async |n| odd(io_error(n).await));
    both(async |n| neither_sync_nor_clone(n).await.map(Cell::into_inner).map_err(Cell::into_inner));
}

#[test]
fn values() {
    both(async |n| nothing(n).await.map(|()| n));
    both(async |n| opaque(n).await.map(|m| if m == n { n } else { 0 }));
    both(async |n| opaque_inside(n, "x").await.map(|mut list| list.remove(0).unwrap().into()));
    both(async |n| coerced(n).await.map(|text| text.to_string().parse().unwrap()));
    both(async |n| odd(coerced_both_ways(n).await).map(|text| text.to_string().parse().unwrap()));
    both(async |n| coerced_in_a_list(n).await.map(|list| list[0](list[1](0))));
    both(async |n| coerced_slice(n).await.map(|list| list[0]));
    both(async |n| function_pointer(n).await.map(|next| next(n - 1)));
    both(async |n| opaque_closure(n).await.map(|plus| plus(0)));
    both(async |n| inferred(n).await.map(|map| map[&n][0].parse().unwrap()));
    both(async |n| collected(n).await.map(|list| list[1]));
    both(async |n| defaulted(n).await.map(|none| none.map_or(n, |_| 0)));
    both(async |n| nested(n).await.map(Result::unwrap));
    both(async |n| tuple_and_array::<2>(n).await.map(|(list, _)| list[1]));
}

#[test]
fn borrows() {
    both(async |n| cow(n, "").await.map(|text| if text == "empty" { n } else { 0 }));
    both(async |n| boxed_iterator(n, &[n]).await.map(|mut list| list.next().unwrap()));
    both(async |n| opaque_iterator(n, &[1, n]).await.map(|mut list| list.next().unwrap()));
    both(async |n| guard(n, &RefCell::new(0)).await.map(|guard| *guard));
    both(async |n| guard_of_a_mutex(n, &Mutex::new(n)).await.map(|guard| *guard));
    let shared = Arc::new(Mutex::new(4));
    both(async |n| guard_of_a_mutex(n, &shared).await.map(|guard| *guard));
}

#[test]
fn only_one_of_the_two() {
    let seen = flows(async || {
        assert_eq!(infallible(4).await, Ok(4));
        assert_eq!(always_fails(3).await, Err(3));
    });
    assert_eq!(seen, [(CallOutcome::Ok, "4".to_owned()), (CallOutcome::Err, "3".to_owned())]);
}
