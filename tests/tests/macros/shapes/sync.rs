//! Functions that are not `async`.

use std::{future::Future, pin::Pin};

use graceful::orchestrate;

use super::{Odd, both, both_sync, even};

#[orchestrate(pattern = "n", id = n)]
fn plain(n: u64) -> Result<u64, Odd> {
    even(n)?;
    Ok(n)
}

#[orchestrate(pattern = "n", id = n)]
fn returns_mut(n: &mut u64) -> Result<&mut u64, Odd> {
    even(*n)?;
    Ok(n)
}

#[orchestrate(pattern = "n", id = list[0])]
fn reborrows<'a>(list: &'a mut Vec<u64>, text: &'a mut String) -> Result<(&'a mut u64, &'a mut str), Odd> {
    even(list[0])?;
    text.push('x');
    Ok((&mut list[0], text))
}

#[orchestrate(pattern = "n", id = n)]
fn coerces(n: u64) -> Result<Box<dyn ToString>, Box<dyn std::error::Error>> {
    if n % 2 == 1 {
        return Err(Box::new(Odd));
    }
    Ok(Box::new(n))
}

#[orchestrate(pattern = "n", id = n)]
fn opaque(n: u64) -> Result<impl Into<u64>, impl std::fmt::Display> {
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
#[allow(improper_ctypes_definitions, reason = "nobody calls it from C")]
extern "C" fn other_abi(n: u64) -> Result<u64, Odd> {
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
fn calls_once(n: u64, by: impl FnOnce(u64) -> Result<u64, Odd>) -> Result<u64, Odd> {
    by(n)
}

#[orchestrate(pattern = "n", id = n)]
fn blocks(n: u64) -> Result<u64, Odd> {
    futures_lite(async move { even(n) })
}

/// A function that runs a future is not one that returns it.
fn futures_lite<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

/// The `Ok` value is a future: the function itself is not async.
#[orchestrate(pattern = "n", id = n)]
fn makes_a_future(n: u64) -> Result<Pin<Box<dyn Future<Output = u64>>>, Odd> {
    even(n)?;
    Ok(Box::pin(async move { n }))
}

#[orchestrate(pattern = "n", id = n)]
fn makes_an_opaque_future(n: u64) -> Result<impl Future<Output = u64>, Odd> {
    even(n)?;
    Ok(async move { n })
}

#[orchestrate(pattern = "n", id = n)]
fn recursive(n: u64, depth: u8) -> Result<u64, Odd> {
    if depth == 0 { even(n) } else { recursive(n, depth - 1) }
}

#[test]
fn functions() {
    both_sync(plain);
    both_sync(|mut n| returns_mut(&mut n).copied());
    both_sync(|n| reborrows(&mut vec![n], &mut String::new()).map(|(n, _)| *n));
    both_sync(|n| coerces(n).map(|text| text.to_string().parse().unwrap()).map_err(|_| Odd));
    both_sync(|n| opaque(n).map(Into::into).map_err(|_| Odd));
    both_sync(|n| other_abi(n));
    both_sync(|n| calls_once(n, even));
    both_sync(blocks);
    both(async |n| Ok(makes_a_future(n)?.await));
    both(async |n| Ok(makes_an_opaque_future(n)?.await));
}

#[test]
fn recursion() {
    let seen = super::flows(async || assert_eq!(recursive(4, 2), Ok(4)));
    assert_eq!(seen.len(), 3);
}
