//! Lints whose level the code sets: expected, forbidden, or warned of.

#[cfg(annotated)]
use graceful::orchestrate;

use crate::{Answer, odd};

#[cfg_attr(annotated, orchestrate(pattern = "n"))]
#[expect(unused_variables, reason = "there is none")]
pub async fn expects(n: u64) -> Answer {
    odd(n)
}

/// What is told of the plain functions and expected there.
mod expected {
    use crate::{Answer, odd};
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

    use crate::{Answer, odd};
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

/// Whoever wants `return` writes it, and need not be told of ours.
mod explicit {
    #![warn(clippy::implicit_return)]
    #![allow(clippy::needless_return)]

    use std::{future::Future, pin::Pin};

    use crate::{Answer, Odd, odd};
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

    use crate::{Answer, odd};
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
