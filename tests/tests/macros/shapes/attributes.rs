//! Other attributes beside `#[orchestrate]`.

use graceful::orchestrate;

use super::{Odd, both, both_sync, even};

/// Documented.
///
/// # Errors
/// Where `n` is odd.
#[inline]
#[orchestrate(pattern = "n", id = n)]
#[must_use = "kept"]
#[doc(hidden)]
pub async fn on_either_side(n: u64) -> Result<u64, Odd> {
    even(n)
}

#[cold]
#[inline(never)]
#[orchestrate(pattern = "n", id = n)]
#[allow(clippy::needless_return, reason = "kept")]
#[expect(unused_variables, reason = "it must still be there to be expected")]
async fn lints(n: u64) -> Result<u64, Odd> {
    let unused = 1;
    return even(n);
}

#[orchestrate(pattern = "n", id = n)]
async fn inside_of_the_body(n: u64) -> Result<u64, Odd> {
    //! Documented.
    #![expect(unused_variables, reason = "it must still be there to be expected")]
    let unused = 1;
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
fn inside_of_the_sync_body(n: u64) -> Result<u64, Odd> {
    //! Documented.
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
#[deprecated(note = "kept")]
async fn deprecated(n: u64) -> Result<u64, Odd> {
    even(n)
}

#[cfg(test)]
#[orchestrate(pattern = "n", id = n)]
async fn of_a_cfg(n: u64) -> Result<u64, Odd> {
    even(n)
}

#[cfg(not(test))]
#[orchestrate(pattern = "n", id = n)]
async fn of_a_cfg(n: Missing) -> Missing {}

#[orchestrate(pattern = "n", id = n)]
#[cfg(test)]
async fn of_a_cfg_inside(n: u64) -> Result<u64, Odd> {
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
#[cfg(not(test))]
async fn of_a_cfg_inside(n: Missing) -> Missing {}

#[cfg_attr(test, orchestrate(pattern = "n", id = n))]
#[cfg_attr(not(test), orchestrate(pattern = "no such", id = missing))]
async fn of_a_cfg_attr(n: u64) -> Result<u64, Odd> {
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
#[cfg_attr(test, allow(unused_variables), inline)]
async fn with_a_cfg_attr(n: u64) -> Result<u64, Odd> {
    let unused = 1;
    even(n)
}

#[tracing::instrument(skip_all, fields(n))]
#[orchestrate(pattern = "n", id = n)]
async fn instrumented_outside(n: u64) -> Result<u64, Odd> {
    tokio::task::yield_now().await;
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
#[tracing::instrument(ret, err)]
async fn instrumented_inside(n: u64) -> Result<u64, Odd> {
    tokio::task::yield_now().await;
    even(n)
}

#[tracing::instrument(err)]
#[orchestrate(pattern = "n", id = n)]
fn instrumented_sync_outside(n: u64) -> Result<u64, Odd> {
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
#[tracing::instrument(err)]
fn instrumented_sync_inside(n: u64) -> Result<u64, Odd> {
    even(n)
}

struct Service;

#[orchestrate(pattern = "n")]
impl Service {
    #[tracing::instrument(skip(self))]
    #[orchestrate(id = n)]
    async fn outside(&self, n: u64) -> Result<u64, Odd> {
        even(n)
    }

    #[orchestrate(id = n)]
    #[tracing::instrument(skip(self), err(Debug))]
    async fn inside(&self, n: u64) -> Result<u64, Odd> {
        even(n)
    }

    /// `cfg` removes this method, although its types do not exist.
    #[cfg(not(test))]
    #[orchestrate(id = n)]
    async fn gone(&self, n: Missing) -> Missing {}

    #[must_use = "kept"]
    #[orchestrate(id = n)]
    fn sync(&self, n: u64) -> Result<u64, Odd> {
        even(n)
    }
}

#[async_trait::async_trait]
trait Instrumented {
    async fn outside(&self, n: u64) -> Result<u64, Odd>;
    async fn inside(&self, n: u64) -> Result<u64, Odd>;
}

#[async_trait::async_trait]
impl Instrumented for Service {
    #[tracing::instrument(skip_all)]
    #[orchestrate(pattern = "n", id = n)]
    async fn outside(&self, n: u64) -> Result<u64, Odd> {
        even(n)
    }

    #[orchestrate(pattern = "n", id = n)]
    #[tracing::instrument(skip_all)]
    async fn inside(&self, n: u64) -> Result<u64, Odd> {
        even(n)
    }
}

#[orchestrate(pattern = "n", id = n)]
#[track_caller]
fn tracks_its_caller(n: u64) -> Result<u64, Odd> {
    even(n)
}

#[test]
fn attributes() {
    both(on_either_side);
    both(lints);
    both(inside_of_the_body);
    both_sync(inside_of_the_sync_body);
    #[allow(deprecated, reason = "that is the shape")]
    both(deprecated);
    both(of_a_cfg);
    both(of_a_cfg_inside);
    both(of_a_cfg_attr);
    both(with_a_cfg_attr);
    both_sync(tracks_its_caller);
    both_sync(|n| Service.sync(n));
}

#[test]
fn instruments() {
    both(instrumented_outside);
    both(instrumented_inside);
    both_sync(instrumented_sync_outside);
    both_sync(instrumented_sync_inside);
    both(async |n| Service.outside(n).await);
    both(async |n| Service.inside(n).await);
    both(async |n| Instrumented::outside(&Service, n).await);
    both(async |n| Instrumented::inside(&Service, n).await);
}
