//! A module in which no name of the prelude is in scope.
#![no_implicit_prelude]

use ::graceful::{Classify, orchestrate};
use ::graceful_tests::shapes::{Odd, both, both_sync, even};
use ::std::{
    boxed::Box,
    future::Future,
    option::Option::{self, None},
    pin::Pin,
    prelude::v1::{derive, test},
    result::Result::{self, Err, Ok},
};

#[derive(Debug, Classify)]
enum Error {
    #[classify(code = InvalidArgument, message = "{0} is odd")]
    Odd(u64),
    #[classify(transparent)]
    Other(Odd),
}

async fn no(_: &::graceful::Failure<'_, Error>) -> Option<u64> {
    None
}

async fn seen(_: &::graceful::Flow) -> Result<(), ::graceful::StepError> {
    Ok(())
}

async fn seen_ok(_: &::graceful::Success<'_, u64>) -> Result<(), ::graceful::StepError> {
    Ok(())
}

async fn seen_err(_: &::graceful::Failure<'_, Error>) -> Result<(), ::graceful::StepError> {
    Ok(())
}

#[orchestrate(
    pattern = "n",
    id = n,
    cache(key = "{n}/x", ttl = "1m", version = n),
    event(name = "seen", payload = n),
    metadata = (),
    message = "{n}",
    tags = ["x"],
    when = n > 0,
    fallback = no,
    audit = seen,
    alert(ok = seen_ok, err = seen_err, on = "all"),
    graph(relation = "of", to = n),
    schedule(after = "1m"),
    nexus = off
)]
async fn everything(n: u64, _: Result<u64, Error>) -> Result<u64, Error> {
    match even(n) {
        Ok(n) => Ok(n),
        Err(odd) if n > 100 => Err(Error::Other(odd)),
        Err(_) => Err(Error::Odd(n)),
    }
}

#[orchestrate(pattern = "n", id = n)]
fn sync(n: u64) -> Result<u64, Odd> {
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
fn opaque(n: u64) -> impl Future<Output = Result<u64, Odd>> {
    async move { even(n) }
}

#[orchestrate(pattern = "n", id = n)]
fn boxed(mut n: u64) -> Pin<Box<dyn Future<Output = Result<u64, Odd>>>> {
    n += 0;
    Box::pin(async move { even(n) })
}

#[orchestrate(pattern = "n", cache = n, fallback = last_good, event, delivery = "background", alert(required))]
async fn answers(n: u64) -> Result<u64, ::graceful::StepError> {
    even(n).map_err(|_| ::graceful::StepError::new("odd"))
}

struct Service(u64);

#[orchestrate(pattern = "n")]
impl Service {
    #[orchestrate(id = n * self.0)]
    async fn method(&self, n: u64) -> Result<u64, Odd> {
        even(n * self.0)
    }
}

#[test]
fn nothing_is_taken_for_granted() {
    let odd = |_| Odd;
    both(async |n| everything(n, Ok(1)).await.map_err(|_| Odd));
    both_sync(sync);
    both(opaque);
    both(boxed);
    both(async |n| Service(1).method(n).await);
    ::std::assert_eq!(::graceful_tests::shapes::run(answers(3)).map_err(odd), Err(Odd));
}
