use std::{future::Future, pin::Pin};

use graceful::{Failure, StepError, orchestrate};

type BoxedFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StepError>> + Send + 'a>>;

trait Load<T> {
    fn load(&self, id: u64) -> BoxedFuture<'_, T>;
    fn load_opaque(&self, id: u64) -> impl Future<Output = Result<T, StepError>> + Send;
}

fn none<T>(id: u64) -> Result<T, StepError> {
    Err(StepError::new(id.to_string()))
}

async fn hook(_: &Failure<'_, StepError>) -> Result<(), StepError> {
    Ok(())
}

async fn recover<T>(_: &Failure<'_, StepError>) -> Option<T> {
    None
}

struct Plain;

impl<T> Load<T> for Plain {
    #[orchestrate(pattern = "row", cache = id)]
    fn load(&self, id: u64) -> BoxedFuture<'_, T> {
        Box::pin(async move { none(id) })
    }

    // It needs no bound.
    #[orchestrate(pattern = "row", cache = id)]
    fn load_opaque(&self, id: u64) -> impl Future<Output = Result<T, StepError>> + Send {
        async move { none(id) }
    }
}

struct Required;

impl<T: 'static> Load<T> for Required {
    // It needs no other bound.
    #[orchestrate(pattern = "row", cache = id, audit(required))]
    fn load(&self, id: u64) -> BoxedFuture<'_, T> {
        Box::pin(async move { none(id) })
    }

    #[orchestrate(pattern = "row", cache = id, audit(required))]
    fn load_opaque(&self, id: u64) -> impl Future<Output = Result<T, StepError>> + Send {
        async move { none(id) }
    }
}

struct Hooked;

impl<T: 'static> Load<T> for Hooked {
    #[orchestrate(pattern = "row", cache = id, alert(err = hook))]
    fn load(&self, id: u64) -> BoxedFuture<'_, T> {
        Box::pin(async move { none(id) })
    }

    fn load_opaque(&self, id: u64) -> impl Future<Output = Result<T, StepError>> + Send {
        async move { none(id) }
    }
}

struct Recovers;

impl<T: 'static> Load<T> for Recovers {
    #[orchestrate(pattern = "row", cache = id, fallback = recover)]
    fn load(&self, id: u64) -> BoxedFuture<'_, T> {
        Box::pin(async move { none(id) })
    }

    fn load_opaque(&self, id: u64) -> impl Future<Output = Result<T, StepError>> + Send {
        async move { none(id) }
    }
}

fn main() {}
