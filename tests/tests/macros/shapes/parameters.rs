//! Parameters with patterns, attributes and types of all kinds.

use std::{
    collections::HashMap,
    fmt::{Debug, Display},
    future::Future,
};

use graceful::orchestrate;

use super::{Odd, both, both_sync, even};

struct Pair(u64, String);

struct App {
    db: u64,
    name: &'static str,
}

struct State<T>(T);

enum Only {
    One { n: u64 },
}

#[orchestrate(pattern = "n", id = "{n}")]
async fn tuple_structs(Pair(n, mut text): Pair, (_, _): (u8, u8), _: &str) -> Result<u64, Odd> {
    text.push('x');
    assert!(text.ends_with('x'));
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn nested_tuples((n, (b, _)): (u64, (u64, u64)), ((), [c, _]): ((), [u64; 2])) -> Result<u64, Odd> {
    even(n * b * c)
}

#[orchestrate(pattern = "n", id = x * y)]
async fn arrays([x, y]: [u64; 2], [.., last]: [u64; 3], [_, rest @ ..]: [u64; 2]) -> Result<u64, Odd> {
    even(x * y * last * rest[0])
}

#[orchestrate(pattern = "n", id = db, actor = name)]
async fn structs(State(App { db, name, .. }): State<App>, State(other): State<u8>) -> Result<u64, Odd> {
    assert_eq!((name, other), ("app", 1));
    even(db)
}

#[orchestrate(pattern = "n", id = number)]
async fn renamed_field(App { db: number, name: _ }: App, Only::One { n: mut _m }: Only) -> Result<u64, Odd> {
    _m = 1;
    even(number * _m)
}

#[orchestrate(pattern = "n", id = *x)]
#[allow(clippy::toplevel_ref_arg, reason = "that is the shape")]
async fn by_reference(ref x: u64, ref mut y: String, &(a, ref b): &(u64, String)) -> Result<u64, Odd> {
    y.push_str(b);
    assert_eq!(y, "yb");
    even(*x * a)
}

#[orchestrate(pattern = "n", id = n)]
async fn at_patterns(n @ _m: u64, pair @ (a, _): (u64, u64), mut z @ 0..: u64) -> Result<u64, Odd> {
    z += pair.0 + a;
    even(n * z)
}

#[orchestrate(pattern = "n", id = n)]
async fn moved_and_shadowed(n: u64, mut text: String, list: Vec<u64>) -> Result<u64, Odd> {
    let n = n + list.into_iter().sum::<u64>();
    text += "x";
    let text = text;
    let n = n + u64::try_from(text.len()).unwrap() - 1;
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn mutated(mut n: u64, m: &mut u64, mut callback: impl FnMut(u64)) -> Result<u64, Odd> {
    n += 1;
    n -= 1;
    *m += n;
    callback(n);
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn underscored(_n: u64, n: u64, _: (), __x: u8) -> Result<u64, Odd> {
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn with_attributes(
    #[allow(unused_mut, reason = "a lint of the parameter")] mut n: u64,
    #[allow(unused_variables)] unused: u8,
    #[cfg(not(test))] gone: Missing,
    #[cfg(test)] kept: u64,
    #[cfg_attr(test, allow(unused_variables))] unused_too: u8,
) -> Result<u64, Odd> {
    even(n * kept)
}

#[orchestrate(pattern = "n", id = n)]
async fn cfg_that_moves(
    #[cfg(not(test))] mut gone: u64,
    #[cfg(test)] mut n: u64,
    last: String,
) -> Result<u64, Odd> {
    n += 1;
    drop(last);
    even(n - 1)
}

#[orchestrate(pattern = "n", id = n)]
async fn opaque(
    n: impl Into<u64> + Copy + Display,
    _: &impl Debug,
    _: &mut impl Iterator,
) -> Result<u64, Odd> {
    even(n.into())
}

#[orchestrate(pattern = "n", id = n)]
async fn dynamic(
    n: u64,
    by: &dyn Fn(u64) -> u64,
    to: &mut dyn FnMut(u64),
    _: Box<dyn Debug>,
) -> Result<u64, Odd> {
    to(n);
    even(by(n))
}

#[orchestrate(pattern = "n", id = n)]
async fn async_closure(
    n: u64,
    by: impl AsyncFn(u64) -> Result<u64, Odd>,
    once: impl AsyncFnOnce(),
) -> Result<u64, Odd> {
    once().await;
    by(n).await
}

#[orchestrate(pattern = "n", id = n)]
async fn future_of_another(n: u64, future: impl Future<Output = Result<u64, Odd>>) -> Result<u64, Odd> {
    assert_eq!(future.await, even(n));
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn function_pointers(
    n: u64,
    by: fn(u64) -> u64,
    borrowed: for<'a> fn(&'a u64) -> &'a u64,
) -> Result<u64, Odd> {
    even(by(*borrowed(&n)))
}

#[orchestrate(pattern = "n", id = map["n"])]
async fn indexed(map: HashMap<&'static str, u64>) -> Result<u64, Odd> {
    even(map["n"])
}

#[orchestrate(pattern = "n", id = n)]
async fn slices(n: u64, text: &str, list: &[u64], lists: &mut [u64]) -> Result<u64, Odd> {
    lists[0] += list[0];
    even(n + u64::try_from(text.len()).unwrap())
}

#[orchestrate(pattern = "n", id = n)]
#[allow(clippy::needless_return, reason = "that is the shape")]
async fn never_used_after_a_diverging_start(n: u64, _guard: String) -> Result<u64, Odd> {
    return even(n);
}

#[orchestrate(pattern = "n", id = n)]
#[allow(clippy::too_many_arguments, reason = "that is the shape")]
async fn many(n: u64, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> Result<u64, Odd> {
    assert_eq!(b + c + d + e + f + g + h, 7);
    even(n)
}

#[orchestrate(pattern = "n", id = "4".len())]
async fn none_at_all() -> Result<u64, Odd> {
    even(4)
}

#[orchestrate(pattern = "n", id = n)]
#[allow(clippy::toplevel_ref_arg, reason = "that is the shape")]
fn sync_patterns(Pair(n, mut text): Pair, mut list: Vec<u64>, _: String, ref r: u64) -> Result<u64, Odd> {
    text.push('x');
    list.push(*r);
    even(n * list[0])
}

#[test]
fn patterns() {
    both(async |n| tuple_structs(Pair(n, String::new()), (1, 2), "x").await);
    both(async |n| nested_tuples((n, (1, 0)), ((), [1, 0])).await);
    both(async |n| arrays([n, 1], [0, 0, 1], [0, 1]).await);
    both(async |n| structs(State(App { db: n, name: "app" }), State(1)).await);
    both(async |n| renamed_field(App { db: n, name: "app" }, Only::One { n: 2 }).await);
    both(async |n| by_reference(n, "y".to_owned(), &(1, "b".to_owned())).await);
    both(async |n| at_patterns(n, (0, 0), 1).await);
    both(async |n| moved_and_shadowed(n, String::new(), vec![0, 0]).await);
    both(async |n| mutated(n, &mut 1, |m| assert_eq!(m, n)).await);
    both(async |n| underscored(0, n, (), 0).await);
    both(async |n| with_attributes(n, 0, 1, 0).await);
    both(async |n| cfg_that_moves(n, String::new()).await);
    both(async |n| never_used_after_a_diverging_start(n, String::new()).await);
    both_sync(|n| sync_patterns(Pair(n, String::new()), vec![], String::new(), 1));
}

#[test]
fn types() {
    both(async |n: u64| opaque(n, &"x", &mut [0].iter()).await);
    both(async |n| dynamic(n, &|m| m, &mut |m| assert_eq!(m, n), Box::new(1)).await);
    both(async |n| async_closure(n, async |m| even(m), async || ()).await);
    both(async |n| future_of_another(n, async move { even(n) }).await);
    both(async |n| function_pointers(n, |m| m, |m| m).await);
    both(async |n| indexed(HashMap::from([("n", n)])).await);
    both(async |n| slices(n, "", &[1], &mut [1]).await);
    both(async |n| many(n, 1, 1, 1, 1, 1, 1, 1).await);
    assert_eq!(graceful_tests::shapes::run(none_at_all()), Ok(4));
}
