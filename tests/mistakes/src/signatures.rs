//! Names, parameters and results.

use std::collections::HashMap;

#[cfg(annotated)]
use graceful::orchestrate;

use crate::{Answer, Odd, odd};

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub async fn nonSnake(camelCase: u64) -> Answer {
    odd(camelCase)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
#[must_use]
pub fn double_must_use(n: u64) -> Answer {
    odd(n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub async fn lifetimes<'a>(n: u64, text: &'a str) -> Result<&'a str, Odd> {
    odd(n).map(|_| text)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub fn lifetimes_sync<'a>(n: u64, text: &'a str) -> Result<&'a str, Odd> {
    odd(n).map(|_| text)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub async fn many(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64, h: bool) -> Answer {
    let u = HashMap::<u64, u64>::new();
    odd(a + b + c + d + e + f + g + u64::from(h) + u.len() as u64)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
// The future holds the result, which is not `Send`, while steps are not ready.
pub async fn complex(n: u64) -> Result<Vec<Option<Box<dyn Fn(Vec<u64>) -> Result<u64, Vec<String>>>>>, Odd> {
    // +clippy::future_not_send
    odd(n).map(|_| vec![])
}

pub struct Large([u8; 200]);

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub fn large(n: u64) -> Result<u64, Large> {
    odd(n).map_err(|_| Large([0; 200]))
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub fn boxed_local(n: Box<u64>) -> Answer {
    // -clippy::boxed_local -clippy::needless_pass_by_value
    odd(*n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
fn not_mutated(n: &mut u64) -> Answer {
    // -clippy::needless_pass_by_ref_mut
    odd(*n)
}

pub struct Wrap(u64);

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
#[warn(clippy::shadow_same)]
pub async fn mut_in_a_pattern(Wrap(mut n): Wrap) -> Answer {
    // +clippy::shadow_same
    n += 1;
    odd(n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
#[warn(clippy::shadow_same)]
pub fn mut_and_what_is_behind_it(first: u64, mut n: u64, last: u64) -> Answer {
    // +clippy::shadow_same
    n += 1;
    odd(first + n + last)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
fn copied(n: &u64) -> Answer {
    odd(*n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
async fn copied_later(n: &u64) -> Answer {
    odd(*n)
}
