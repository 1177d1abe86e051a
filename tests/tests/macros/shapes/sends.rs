//! Futures that must be `Send` although their result is not known to be.

use std::{future::Future, pin::Pin};

use async_trait::async_trait;
use graceful::{Flow, StepError, orchestrate};
use graceful_tests::{World, hooks};

use super::{Odd, both, even};

trait Fetch<T> {
    fn boxed(&self, n: u64) -> Pin<Box<dyn Future<Output = Result<T, Odd>> + Send + '_>>;
    fn opaque(&self, n: u64) -> impl Future<Output = Result<T, Odd>> + Send;
}

#[async_trait]
trait FetchAny {
    async fn any<T: TryFrom<u64>>(&self, n: u64) -> Result<T, Odd>;
}

struct Source;

fn converted<T: TryFrom<u64>>(n: u64) -> Result<T, Odd> {
    T::try_from(even(n)?).map_err(|_| Odd)
}

impl<T: TryFrom<u64> + 'static> Fetch<T> for Source {
    #[orchestrate(pattern = "n", id = n)]
    fn boxed(&self, n: u64) -> Pin<Box<dyn Future<Output = Result<T, Odd>> + Send + '_>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            converted(n)
        })
    }

    #[orchestrate(pattern = "n", id = n)]
    fn opaque(&self, n: u64) -> impl Future<Output = Result<T, Odd>> + Send {
        async move {
            tokio::task::yield_now().await;
            converted(n)
        }
    }
}

struct Inner;

impl Inner {
    #[orchestrate(pattern = "n", id = n)]
    fn converted<T: TryFrom<u64>>(&self, n: u64) -> impl Future<Output = Result<T, Odd>> + Send {
        async move {
            tokio::task::yield_now().await;
            converted(n)
        }
    }
}

/// Without `T: 'static`, which the trait does not have.
impl<T: TryFrom<u64>> Fetch<T> for Inner {
    fn boxed(&self, n: u64) -> Pin<Box<dyn Future<Output = Result<T, Odd>> + Send + '_>> {
        Box::pin(async move { self.converted(n).await })
    }

    fn opaque(&self, n: u64) -> impl Future<Output = Result<T, Odd>> + Send {
        self.converted(n)
    }
}

#[async_trait]
impl FetchAny for Source {
    #[orchestrate(pattern = "n", id = n)]
    async fn any<T: TryFrom<u64>>(&self, n: u64) -> Result<T, Odd> {
        tokio::task::yield_now().await;
        converted(n)
    }
}

async fn slow(flow: &Flow) -> Result<(), StepError> {
    tokio::task::yield_now().await;
    hooks::called(flow.ending().as_str());
    Ok(())
}

#[async_trait]
trait Slow<T: Sized> {
    async fn known(&self, n: u64) -> Result<u64, Odd>;
    async fn unknown(&self, n: u64) -> Result<T, Odd>;
}

#[async_trait]
impl<T: TryFrom<u64>> Slow<T> for Source {
    #[orchestrate(pattern = "n", id = n, audit = slow)]
    async fn known(&self, n: u64) -> Result<u64, Odd> {
        even(n)
    }

    #[orchestrate(pattern = "n", id = n, audit = slow)]
    async fn unknown(&self, n: u64) -> Result<T, Odd> {
        converted(n)
    }
}

#[test]
fn result_not_known_to_be_send_needs_no_bound() {
    both(async |n| Source.boxed(n).await);
    both(async |n| Source.opaque(n).await);
    both(async |n| Source.any(n).await);
    both(async |n| Inner.boxed(n).await);
    both(async |n| Inner.opaque(n).await);
}

#[tokio::test]
async fn result_not_known_to_be_send_does_not_wait_for_the_steps() {
    let world = World::new();
    world.run(Slow::<u64>::known(&Source, 2)).await.unwrap();
    assert_eq!((world.reports.count(), hooks::calls()), (1, vec!["ok".to_owned()]));
    let value: u64 = world.run(Source.unknown(2)).await.unwrap();
    assert_eq!((value, world.reports.count()), (2, 1));
    world.reports.until(2).await;
    assert_eq!(hooks::calls(), ["ok"]);
}
