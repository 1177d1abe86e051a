//! Mistakes of which the compiler, or clippy, tells. A comment `-lint`, on a line or below it, marks where the annotated
//! function is not told of it, `+lint` where only it is: those are limits of the attribute, and explained in `docs/LIMITS.md`.
#![cfg(mistakes)]
#![warn(
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    unused_qualifications,
    unreachable_pub,
    single_use_lifetimes
)]
#![allow(clippy::unused_async, clippy::missing_errors_doc, clippy::unnecessary_wraps, missing_docs)]

use std::{collections::HashMap, error::Error, fmt::Display, future::Future, pin::Pin};

#[cfg(not(annotated))]
use graceful as _;
#[cfg(annotated)]
use graceful::orchestrate;

type Answer = Result<u64, Odd>;

pub struct Odd;

fn odd(n: u64) -> Answer {
    if n.is_multiple_of(2) { Ok(n) } else { Err(Odd) }
}

#[must_use]
fn important() -> u64 {
    1
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
async fn never_called(n: u64) -> Answer {
    odd(n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
fn never_called_sync(n: u64) -> Answer {
    odd(n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub async fn unused_variables(n: u64, unused: u64, (a, b): (u64, u64)) -> Answer {
    let local = 1;
    odd(n + a)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub fn unused_variables_sync(n: u64, unused: u64, (a, b): (u64, u64)) -> Answer {
    let local = 1;
    odd(n + a)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub async fn unused_mut(mut n: u64, mut text: String, (mut a, _): (u64, u64)) -> Answer {
    let mut local = 1;
    odd(n + local + a + u64::from(text.is_empty()))
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub fn unused_mut_sync(mut n: u64, mut text: String) -> Answer {
    let mut local = 1;
    odd(n + local + u64::from(text.is_empty()))
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub async fn unreachable_code(n: u64) -> Answer {
    return odd(n);
    let _never = 1;
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub fn unreachable_code_sync(n: u64) -> Answer {
    // -unused_variables
    panic!("no");
    odd(n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub async fn unused_must_use(n: u64) -> Answer {
    odd(n);
    important();
    async { 1 };
    n + 1;
    odd(n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub fn unused_must_use_sync(n: u64) -> Answer {
    odd(n);
    important();
    odd(n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub async fn unused_assignments(n: u64, mut m: u64) -> Answer {
    let mut last = 1;
    last = 2;
    let mut other = 0;
    other += 1;
    m = 3;
    odd(n + last)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub async fn overwritten(mut n: u64) -> Answer {
    n = 3;
    odd(n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub fn overwritten_sync(mut n: u64) -> Answer {
    n = 3;
    odd(n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub async fn syntax(n: u64) -> Answer {
    let m = (n);
    if (m == 1) {
        return odd({ n });
    };
    let r#unused_imports = 1;
    while true {
        break;
    }
    odd(n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub async fn items(n: u64) -> Answer {
    use std::fmt::Debug;
    const UNUSED: u64 = 1;
    const lower: u64 = 1;
    fn unused() {}
    struct Unused;
    'label: loop {
        break;
    }
    macro_rules! unused_macro {
        () => {};
    }
    odd(n + lower)
}

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
pub async fn needless(n: u64, text: String, list: &Vec<u64>, maybe: Option<u64>) -> Answer {
    // -clippy::ptr_arg
    let m = n.clone();
    let borrowed = &text.len().to_string();
    println!("{}", borrowed);
    if maybe.is_some() == true {
        return Err(Odd);
    }
    match maybe {
        Some(k) => drop(k),
        None => (),
    }
    let sum = list.iter().map(|k| *k).fold(0, |a, b| a + b);
    for i in 0..list.len() {
        println!("{}", list[i]);
    }
    Ok(odd(m + sum)?)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub fn needless_sync(n: u64, text: String, list: &Vec<u64>) -> Answer {
    // -clippy::ptr_arg -clippy::needless_pass_by_value
    let m = n.clone();
    println!("{}", text);
    let result = odd(m + list[0]);
    result
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub async fn needless_return(n: u64) -> Answer {
    return odd(n);
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub fn needless_return_sync(n: u64) -> Answer {
    return odd(n);
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
pub async fn unused_generics<'a, T: Display>(n: u64) -> Answer {
    odd(n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub fn manual_async(n: u64) -> impl Future<Output = Answer> {
    // -clippy::manual_async_fn
    async move { odd(n) }
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub fn boxed(n: u64, unused: u64) -> Pin<Box<dyn Future<Output = Answer>>> {
    Box::pin(async move {
        let local = 1;
        return odd(n);
    })
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
#[deprecated]
pub async fn old(n: u64) -> Answer {
    odd(n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub async fn calls_old(n: u64) -> Answer {
    old(n).await?;
    old(n);
    odd(n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
#[expect(unused_variables, reason = "there is none")]
pub async fn expects(n: u64) -> Answer {
    odd(n)
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

pub struct Service(u64);

impl Service {
    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    async fn never_called(&self, n: u64) -> Answer {
        odd(n)
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub async fn unused_self(&self, n: u64, unused: u64) -> Answer {
        odd(n)
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub fn unused_self_sync(&self, n: u64) -> Answer {
        odd(n)
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub async fn not_mutated(&mut self, n: u64, list: &mut Vec<u64>) -> Answer {
        // -clippy::ptr_arg
        odd(n + self.0 + list[0])
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub fn not_mutated_sync(&mut self, n: u64, list: &mut Vec<u64>) -> Answer {
        // -clippy::ptr_arg
        odd(n + self.0 + list[0])
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub async fn by_value(mut self, n: u64) -> Answer {
        odd(n + self.0)
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub async fn with_self(self: Box<Self>, n: u64) -> Result<Service, Odd> {
        odd(n).map(|n| Service(n))
    }
}

pub struct Large([u8; 200]);

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub fn large(n: u64) -> Result<u64, Large> {
    odd(n).map_err(|_| Large([0; 200]))
}

pub trait Waits {
    #[allow(clippy::type_complexity)]
    fn wait(
        &self,
        n: u64,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<Option<Box<[u64]>>>, Box<dyn Error>>> + '_>>;
}

impl Waits for Service {
    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    fn wait(
        &self,
        n: u64,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<Option<Box<[u64]>>>, Box<dyn Error>>> + '_>> {
        Box::pin(async move { Ok(vec![Some(vec![odd(n).map_err(|_| "odd")?].into_boxed_slice())]) })
    }
}

pub trait Reads {
    fn read(n: u64) -> Result<Service, Odd>;
    fn read_later(n: u64) -> impl Future<Output = Result<Service, Odd>> + Send;
    fn read_into(self, n: u64) -> impl Future<Output = Result<Service, Odd>> + Send;
}

impl Reads for Service {
    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    fn read(n: u64) -> Result<Service, Odd> {
        // +clippy::use_self
        odd(n).map(Self)
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    async fn read_later(n: u64) -> Result<Service, Odd> {
        odd(n).map(Self)
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    fn read_into(self, n: u64) -> impl Future<Output = Result<Service, Odd>> + Send {
        // -clippy::manual_async_fn
        async move { odd(n).map(Self) }
    }
}

/// What is told of the plain functions and expected there.
mod expected {
    use super::{Answer, odd};
    #[cfg(annotated)]
    use graceful::orchestrate;

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    #[expect(clippy::needless_pass_by_value, clippy::ptr_arg, reason = "it is")]
    pub fn hidden(n: u64, text: String, list: &Vec<u64>) -> Answer {
        odd(n + text.len() as u64 + list[0])
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    #[expect(clippy::unnecessary_wraps, unused_variables)]
    fn told_and_hidden(n: u64, unused: u64) -> Answer {
        // -clippy::missing_const_for_fn
        Ok(n)
    }
}

/// No `allow` of ours stands in the way of a `forbid`.
mod forbidden {
    #![forbid(
        clippy::collection_is_never_read,
        clippy::result_large_err,
        clippy::use_self,
        clippy::used_underscore_binding
    )]

    use super::{Answer, odd};
    #[cfg(annotated)]
    use graceful::orchestrate;

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub async fn handler(mut n: u64, _guard: String, _: Vec<u64>, mut list: Vec<u64>) -> Answer {
        n += 1;
        list.push(1);
        odd(n + list[0])
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub fn handler_sync(mut n: u64, _guard: String, _: Vec<u64>, mut list: Vec<u64>) -> Answer {
        n += 1;
        list.push(1);
        odd(n + list[0])
    }
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub fn recursion(n: u64) -> Answer {
    // -unconditional_recursion -clippy::only_used_in_recursion
    recursion(n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub fn question_mark(n: u64) -> Answer {
    let m = match odd(n) {
        // -clippy::question_mark
        Ok(m) => m,
        Err(odd) => return Err(odd),
    };
    odd(m)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub fn boxed_local(n: Box<u64>) -> Answer {
    // -clippy::boxed_local -clippy::needless_pass_by_value
    odd(*n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub async fn redundant_local(n: u64) -> Answer {
    let n = n; // -clippy::redundant_locals
    odd(n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
fn not_mutated(n: &mut u64) -> Answer {
    // -clippy::needless_pass_by_ref_mut
    odd(*n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub fn could_be_const(n: u64) -> Answer {
    // -clippy::missing_const_for_fn
    Ok(n)
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
pub fn only_written_to(n: u64, mut list: Vec<u64>) -> Answer {
    // +clippy::collection_is_never_read
    list.push(n);
    odd(n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
fn copied(n: &u64) -> Answer {
    odd(*n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
async fn copied_later(n: &u64) -> Answer {
    odd(*n)
}

/// Whoever wants `return` writes it, and need not be told of ours.
mod explicit {
    #![warn(clippy::implicit_return)]
    #![allow(clippy::needless_return)]

    use super::{Answer, Future, Odd, Pin, odd};
    #[cfg(annotated)]
    use graceful::orchestrate;

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub async fn handler(n: u64) -> Answer {
        return odd(n);
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub async fn handler_mut(mut n: u64) -> Answer {
        n += 1;
        if n > 1 {
            return odd(n);
        }
        return Err(Odd);
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub fn handler_sync(n: u64) -> Answer {
        return odd(n);
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub fn opaque(n: u64) -> impl Future<Output = Answer> {
        return async move {
            return odd(n);
        };
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub fn boxed(n: u64) -> Pin<Box<dyn Future<Output = Answer>>> {
        return Box::pin(async move {
            return odd(n);
        });
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub async fn implicit(n: u64) -> Answer {
        odd(n)
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub fn implicit_sync(n: u64) -> Answer {
        odd(n)
    }
}

/// What the documentation of a function does not say.
pub mod undocumented {
    #![warn(clippy::missing_errors_doc)]

    use super::{Answer, odd};
    #[cfg(annotated)]
    use graceful::orchestrate;

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub async fn errors(n: u64) -> Answer {
        // -clippy::missing_errors_doc
        odd(n)
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub async fn errors_of_a_borrow(n: &u64) -> Answer {
        // -clippy::missing_errors_doc
        odd(*n)
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub fn errors_sync(n: u64) -> Answer {
        odd(n)
    }

    #[cfg_attr(annotated, orchestrate(pattern = "n"))]
    pub async fn panics(n: Option<u64>) -> Answer {
        // -clippy::missing_errors_doc
        odd(n.unwrap())
    }
}
