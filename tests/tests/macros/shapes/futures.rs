//! Functions that are not `async` and return a future.

use std::{
    fmt::Debug,
    future::{Future, ready},
    pin::Pin,
    rc::Rc,
    sync::Arc,
};

use graceful::{CallOutcome, orchestrate};

use super::{Odd, both, even, flows, flows_of};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[orchestrate(pattern = "n", id = n)]
fn opaque(n: u64) -> impl Future<Output = Result<u64, Odd>> + Send {
    let twice = n * 2;
    async move {
        tokio::task::yield_now().await;
        even(n)?;
        Ok(twice - n)
    }
}

#[orchestrate(pattern = "n", id = n)]
fn opaque_by_its_path(n: u64) -> impl std::future::Future<Output = super::results::Answer> + use<> {
    async move { even(n) }
}

#[orchestrate(pattern = "n", id = n)]
fn opaque_with_a_lifetime<'a>(n: &'a u64, text: &'a str) -> impl Future<Output = Result<&'a u64, Odd>> + 'a {
    async move {
        assert!(text.is_empty());
        even(*n)?;
        Ok(n)
    }
}

#[orchestrate(pattern = "n", id = n)]
fn opaque_of_opaque(n: u64) -> impl Future<Output = Result<impl Into<u64> + Debug, impl Debug>> {
    async move { even(n) }
}

#[orchestrate(pattern = "n", id = n)]
fn passed_on(n: u64) -> impl Future<Output = Result<u64, Odd>> + Send {
    ready(even(n))
}

#[orchestrate(pattern = "n", id = n)]
fn passed_on_unpin(n: u64) -> impl Future<Output = Result<u64, Odd>> + Unpin + Send {
    ready(even(n))
}

#[orchestrate(pattern = "n", id = n)]
fn into_a_future(n: u64) -> impl std::future::IntoFuture<Output = Result<u64, Odd>> {
    ready(even(n))
}

#[orchestrate(pattern = "n", id = n)]
#[allow(clippy::let_and_return, reason = "that is the shape")]
fn of_a_block(n: u64) -> impl Future<Output = Result<u64, Odd>> {
    let future = async move { even(n) };
    future
}

#[orchestrate(pattern = "n", id = n)]
fn of_either(n: u64) -> impl Future<Output = Result<u64, Odd>> {
    if n == 4 { ready(Ok(n)) } else { ready(even(n)) }
}

#[orchestrate(pattern = "n", id = n)]
fn of_an_async_closure(n: u64) -> impl Future<Output = Result<u64, Odd>> {
    let closure = async move || even(n);
    async move { closure().await }
}

#[orchestrate(pattern = "n", id = n)]
fn early_return(n: u64) -> Pin<Box<dyn Future<Output = Result<u64, Odd>>>> {
    if n == 4 {
        return Box::pin(ready(Ok(4)));
    }
    Box::pin(async move { even(n) })
}

#[orchestrate(pattern = "n", id = n)]
fn boxed(n: u64) -> Pin<Box<dyn Future<Output = Result<u64, Odd>> + Send>> {
    Box::pin(async move { even(n) })
}

#[orchestrate(pattern = "n", id = n)]
fn boxed_by_an_alias(n: &u64) -> BoxFuture<'_, Result<u64, Odd>> {
    Box::pin(async move {
        tokio::task::yield_now().await;
        even(*n)
    })
}

#[orchestrate(pattern = "n", id = n)]
fn boxed_elsewhere(n: &u64) -> BoxFuture<'_, Result<u64, Odd>> {
    let future = ready(even(*n));
    Box::pin(future)
}

#[orchestrate(pattern = "n", id = n)]
fn boxed_by_a_path(n: u64) -> std::pin::Pin<std::boxed::Box<dyn Future<Output = Result<u64, Odd>>>> {
    std::boxed::Box::pin(async move { even(n) })
}

#[orchestrate(pattern = "n", id = n)]
fn boxed_local(n: u64) -> Pin<Box<dyn Future<Output = Result<u64, Odd>>>> {
    let shared = Rc::new(n);
    Box::pin(async move { even(*shared) })
}

#[orchestrate(pattern = "n", id = n)]
fn converted_inside(n: u64) -> BoxFuture<'static, anyhow::Result<u64>> {
    Box::pin(async move {
        let n = n.to_string().parse()?;
        anyhow::ensure!(n != 8, "eight");
        Ok(even(n)?)
    })
}

#[orchestrate(pattern = "n", id = n)]
fn into_pin(n: u64) -> Pin<Box<dyn Future<Output = Result<u64, Odd>>>> {
    Box::into_pin(Box::new(async move { even(n) }))
}

#[orchestrate(pattern = "n", id = n)]
fn only_a_block(n: u64) -> impl Future<Output = Result<u64, Odd>> {
    async move { even(n) }
}

#[orchestrate(pattern = "n", id = n)]
fn in_a_block_of_its_own(n: u64) -> impl Future<Output = Result<u64, Odd>> {
    {
        let m = n;
        async move { even(m) }
    }
}

#[orchestrate(pattern = "n", id = n)]
fn not_move(n: u64) -> impl Future<Output = Result<String, Odd>> {
    let result = even(n).map(|n| n.to_string());
    async { result }
}

#[orchestrate(pattern = "n", id = text)]
fn moved_before(text: String) -> impl Future<Output = Result<u64, Odd>> {
    let owned = text;
    async move { even(owned.parse().unwrap()) }
}

/// The expression names what the future does not hold: that is not `Send`, nor `'static`.
#[orchestrate(pattern = "n", id = *n)]
fn not_held(n: Rc<u64>) -> impl Future<Output = Result<u64, Odd>> + Send {
    let n = *n;
    async move { even(n) }
}

#[orchestrate(pattern = "n", id = n)]
fn not_held_reference(n: &u64) -> Pin<Box<dyn Future<Output = Result<u64, Odd>> + Send + 'static>> {
    let n = *n;
    Box::pin(async move { even(n) })
}

#[orchestrate(pattern = "n", id = n)]
fn converted(n: u64, before: u64) -> impl Future<Output = Result<u64, Box<dyn std::error::Error>>> {
    let n = n + before;
    async move {
        even(n)?;
        if n == 8 {
            return Err("eight".into());
        }
        let parsed = n.to_string().parse()?;
        Ok(parsed)
    }
}

#[orchestrate(pattern = "n", id = n)]
fn generic<T: Send + 'static>(n: u64, value: T) -> impl Future<Output = Result<(u64, T), Odd>> + Send {
    async move { Ok((even(n)?, value)) }
}

#[orchestrate(pattern = "n", id = n)]
async fn recursive(n: u64, depth: u8) -> Result<u64, Odd> {
    if depth > 0 { Box::pin(recursive(n, depth - 1)).await } else { even(n) }
}

#[orchestrate(pattern = "n", id = n)]
fn recursive_by_hand(n: u64, depth: u8) -> BoxFuture<'static, Result<u64, Odd>> {
    Box::pin(async move { if depth > 0 { recursive_by_hand(n, depth - 1).await } else { even(n) } })
}

struct Service {
    users: Arc<u64>,
}

impl Service {
    #[orchestrate(pattern = "n", id = n)]
    fn of_a_method(&self, n: u64) -> impl Future<Output = Result<u64, Odd>> + Send + 'static + use<> {
        let users = Arc::clone(&self.users);
        async move { even(n * *users) }
    }

    #[orchestrate(pattern = "n", id = n * *self.users)]
    fn borrows_self<'a>(
        &'a mut self,
        n: u64,
    ) -> Pin<Box<dyn Future<Output = Result<&'a u64, Odd>> + Send + 'a>> {
        Box::pin(async move {
            even(n)?;
            Ok(&*self.users)
        })
    }
}

trait Gets {
    fn get(&self, n: u64) -> impl Future<Output = Result<u64, Odd>> + Send;
    fn get_boxed(&self, n: u64) -> BoxFuture<'_, Result<u64, Odd>>;
}

impl Gets for Service {
    #[orchestrate(pattern = "n", id = n)]
    fn get(&self, n: u64) -> impl Future<Output = Result<u64, Odd>> + Send {
        async move { even(n * *self.users) }
    }

    #[orchestrate(pattern = "n", id = n)]
    fn get_boxed(&self, n: u64) -> BoxFuture<'_, Result<u64, Odd>> {
        Box::pin(self.get_plain(n))
    }
}

impl Service {
    async fn get_plain(&self, n: u64) -> Result<u64, Odd> {
        even(n * *self.users)
    }
}

#[orchestrate(pattern = "n", id = 1)]
fn never() -> impl Future<Output = Result<u64, Odd>> {
    std::future::pending()
}

#[test]
fn opaque_futures() {
    both(opaque);
    both(opaque_by_its_path);
    both(async |n| opaque_with_a_lifetime(&n, "").await.copied());
    both(async |n| opaque_of_opaque(n).await.map(Into::into).map_err(|_| Odd));
    both(passed_on);
    both(passed_on_unpin);
    both(async |n| into_a_future(n).await);
    both(of_a_block);
    both(of_either);
    both(of_an_async_closure);
    both(only_a_block);
    both(in_a_block_of_its_own);
    both(async |n| not_move(n).await.map(|n| n.parse().unwrap()));
    both(async |n| moved_before(n.to_string()).await);
    both(async |n| not_held(Rc::new(n)).await);
    both(async |n| not_held_reference(&n).await);
    both(async |n| converted(n, 0).await.map_err(|_| Odd));
    both(async |n| generic(n, "x").await.map(|(n, _)| n));
}

#[test]
fn boxed_futures() {
    both(early_return);
    both(boxed);
    both(async |n| boxed_by_an_alias(&n).await);
    both(async |n| boxed_elsewhere(&n).await);
    both(boxed_by_a_path);
    both(boxed_local);
    both(async |n| converted_inside(n).await.map_err(|_| Odd));
    both(into_pin);
}

#[test]
fn methods() {
    let service = || Service { users: Arc::new(1) };
    both(async |n| service().of_a_method(n).await);
    both(async |n| service().borrows_self(n).await.map(|one| one * n));
    both(async |n| service().get(n).await);
    both(async |n| service().get_boxed(n).await);
}

#[test]
fn recursion() {
    let expected = vec![(CallOutcome::Ok, "4".to_owned()); 3];
    assert_eq!(flows(async || assert_eq!(recursive(4, 2).await, Ok(4))), expected);
    assert_eq!(flows(async || assert_eq!(recursive_by_hand(4, 2).await, Ok(4))), expected);
}

#[test]
fn body_that_never_ends_has_the_declared_return_type() {
    drop(never());
}

#[test]
fn future_made_elsewhere_runs_where_it_is_polled() {
    let mut future = None;
    let made = flows(async || future = Some(passed_on(4)));
    assert_eq!(made, []);
    let polled = flows(async || assert_eq!(future.unwrap().await, Ok(4)));
    assert_eq!(polled, [(CallOutcome::Ok, "4".to_owned())]);
}

#[test]
fn returned_future_runs_in_another_task() {
    let seen = flows_of(async |orchestrator| {
        assert_eq!(tokio::spawn(orchestrator.scope(opaque(4))).await.unwrap(), Ok(4));
    });
    assert_eq!(seen, [(CallOutcome::Ok, "4".to_owned())]);
}
