//! Code that is not used, not reached, or not to be used.

use std::fmt::Display;

#[cfg(annotated)]
use graceful::orchestrate;

use crate::{Answer, important, odd};

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
pub async fn unused_generics<'a, T: Display>(n: u64) -> Answer {
    odd(n)
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
pub fn only_written_to(n: u64, mut list: Vec<u64>) -> Answer {
    // +clippy::collection_is_never_read
    list.push(n);
    odd(n)
}
