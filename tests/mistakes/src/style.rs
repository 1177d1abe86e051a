//! Bodies that can be written more simply.

use std::{future::Future, pin::Pin};

#[cfg(annotated)]
use graceful::orchestrate;

use crate::{Answer, Odd, odd};

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
pub async fn redundant_local(n: u64) -> Answer {
    let n = n; // -clippy::redundant_locals
    odd(n)
}

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
pub fn could_be_const(n: u64) -> Answer {
    // -clippy::missing_const_for_fn
    Ok(n)
}
