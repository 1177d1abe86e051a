//! Methods: of a type, and of traits.

use std::{error::Error, future::Future, pin::Pin};

#[cfg(annotated)]
use graceful::orchestrate;

use crate::{Answer, Odd, odd};

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
