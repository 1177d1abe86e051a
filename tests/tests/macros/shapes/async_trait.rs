//! `#[async_trait]` outside of the attribute, and the attribute outside of it.

use std::{fmt::Display, pin::Pin, rc::Rc, sync::Arc};

use async_trait::async_trait;
use graceful::orchestrate;

use super::{Odd, both, even};

struct Service {
    step: u64,
}

struct Pair(u64, String);

const fn same(n: u64) -> u64 {
    n
}

#[async_trait]
trait Dynamic: Send + Sync {
    async fn plain(&self, n: u64) -> Result<u64, Odd>;
    async fn pattern(&self, pair: Pair, tuple: (u64, u64)) -> Result<u64, Odd>;
    async fn mutable(&mut self, n: u64) -> Result<u64, Odd>;
    async fn owned(self: Box<Self>, n: u64) -> Result<u64, Odd>;
    async fn shared(self: Arc<Self>, n: u64) -> Result<u64, Odd>;
    async fn lifetimes<'a>(&'a self, n: &'a u64, text: &str) -> Result<&'a u64, Odd>;
    async fn coerced(&self, n: u64) -> Result<Box<dyn ToString + Send>, anyhow::Error>;
    async fn boxed_error(&self, n: u64) -> Result<u64, Box<dyn std::error::Error + Send + Sync>>;
    async fn returns_early(&self, n: u64) -> Result<u64, Odd>;
    async fn unused(&self, _: u64, _n: u64, n: u64) -> Result<(), Odd>;

    #[orchestrate(pattern = "n", id = n)]
    async fn defaulted(&self, n: u64) -> Result<u64, Odd> {
        self.plain_step(n).await
    }

    async fn plain_step(&self, n: u64) -> Result<u64, Odd> {
        even(n)
    }
}

#[async_trait]
impl Dynamic for Service {
    #[orchestrate(pattern = "n", id = n * self.step)]
    async fn plain(&self, n: u64) -> Result<u64, Odd> {
        tokio::task::yield_now().await;
        even(n)
    }

    #[orchestrate(pattern = "n", id = n * self.step * m)]
    async fn pattern(&self, Pair(n, mut text): Pair, (m, _): (u64, u64)) -> Result<u64, Odd> {
        text.push('x');
        assert!(text.ends_with('x'));
        even(n * m)?;
        Ok(n * self.step)
    }

    #[orchestrate(pattern = "n", id = self::same(n) * self.step)]
    async fn mutable(&mut self, mut n: u64) -> Result<u64, Odd> {
        self.step += 1;
        n += 1;
        even(n - 1)
    }

    #[orchestrate(pattern = "n", id = format!("{}", n * self.step))]
    async fn owned(self: Box<Self>, n: u64) -> Result<u64, Odd> {
        let service = *self;
        even(n * service.step)
    }

    #[orchestrate(pattern = "n", id = n * self.step)]
    async fn shared(self: Arc<Self>, n: u64) -> Result<u64, Odd> {
        let shared = self;
        even(n * shared.step)
    }

    #[orchestrate(pattern = "n", id = n)]
    async fn lifetimes<'a>(&'a self, n: &'a u64, text: &str) -> Result<&'a u64, Odd> {
        assert!(text.is_empty());
        even(*n)?;
        Ok(n)
    }

    #[orchestrate(pattern = "n", id = n)]
    async fn coerced(&self, n: u64) -> Result<Box<dyn ToString + Send>, anyhow::Error> {
        even(n)?;
        Ok(Box::new(n))
    }

    #[orchestrate(pattern = "n", id = n)]
    async fn boxed_error(&self, n: u64) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
        if n > 100 {
            return Err("too large".into());
        }
        Ok(even(n)?)
    }

    #[orchestrate(pattern = "n", id = n)]
    async fn returns_early(&self, n: u64) -> Result<u64, Odd> {
        if n == 4 {
            return Ok(n);
        }
        let find = || -> Result<u64, Odd> {
            even(n)?;
            Ok(n)
        };
        find()
    }

    #[orchestrate(pattern = "n", id = n)]
    async fn unused(&self, _: u64, _n: u64, n: u64) -> Result<(), Odd> {
        even(n)?;
        Ok(())
    }
}

#[test]
fn inside() {
    let service = || Box::new(Service { step: 1 }) as Box<dyn Dynamic>;
    both(async |n| service().plain(n).await);
    both(async |n| service().pattern(Pair(n, String::new()), (1, 0)).await);
    both(async |n| service().mutable(n).await);
    both(async |n| service().owned(n).await);
    both(async |n| (Arc::new(Service { step: 1 }) as Arc<dyn Dynamic>).shared(n).await);
    both(async |n| service().lifetimes(&n, "").await.copied());
    both(async |n| service().coerced(n).await.map(|_| n).map_err(|_| Odd));
    both(async |n| service().boxed_error(n).await.map_err(|_| Odd));
    both(async |n| service().returns_early(n).await);
    both(async |n| service().unused(0, 0, n).await.map(|()| n));
    both(async |n| service().defaulted(n).await);
}

/// The block's attribute around `#[async_trait]`, and inside of it.
#[async_trait]
trait Outer {
    async fn get(&self, n: u64) -> Result<u64, Odd>;
}

#[orchestrate(pattern = "n")]
#[async_trait]
impl Outer for Service {
    #[orchestrate(id = n * self.step)]
    async fn get(&self, n: u64) -> Result<u64, Odd> {
        even(n)
    }
}

#[async_trait]
#[orchestrate(pattern = "n")]
#[allow(clippy::use_self, reason = "`#[async_trait]` raises it")]
impl Outer for u64 {
    #[orchestrate(id = n * self)]
    async fn get(&self, n: u64) -> Result<u64, Odd> {
        even(n * self)
    }
}

#[async_trait(?Send)]
trait Local {
    async fn get(&self, n: Rc<u64>) -> Result<u64, Odd>;
    #[orchestrate(pattern = "n", id = n)]
    async fn defaulted(&self, n: Rc<u64>) -> Result<Rc<u64>, Odd> {
        tokio::task::yield_now().await;
        even(*n)?;
        Ok(n)
    }
}

#[async_trait(?Send)]
impl Local for Service {
    #[orchestrate(pattern = "n", id = n)]
    async fn get(&self, n: Rc<u64>) -> Result<u64, Odd> {
        tokio::task::yield_now().await;
        even(*n * self.step)
    }
}

#[async_trait]
trait Generic<T: Send + Sync + 'static> {
    type Error: From<Odd> + Send;
    async fn get<U: Into<u64> + Copy + Display + Send + Sync>(
        &self,
        n: U,
        value: T,
    ) -> Result<T, Self::Error>
    where
        T: Clone;
    async fn pinned(self: Pin<&mut Self>, n: u64) -> Result<u64, Odd>;
    async fn associated(n: u64) -> Result<u64, Odd>
    where
        Self: Sized;
}

#[async_trait]
impl<T: Send + Sync + 'static> Generic<T> for Service {
    type Error = Odd;

    #[orchestrate(pattern = "n", id = n)]
    async fn get<U: Into<u64> + Copy + Display + Send + Sync>(&self, n: U, value: T) -> Result<T, Self::Error>
    where
        T: Clone,
    {
        even(n.into() * self.step)?;
        Ok(value)
    }

    #[orchestrate(pattern = "n", id = n * self.step)]
    async fn pinned(mut self: Pin<&mut Self>, n: u64) -> Result<u64, Odd> {
        self.step = n;
        even(self.step)
    }

    #[orchestrate(pattern = "n", id = n)]
    async fn associated(n: u64) -> Result<u64, Odd> {
        even(n)
    }
}

#[test]
fn other_traits() {
    both(async |n| Outer::get(&Service { step: 1 }, n).await);
    both(async |n| Outer::get(&1, n).await);
    both(async |n| Local::get(&Service { step: 1 }, Rc::new(n)).await);
    both(async |n| Local::defaulted(&Service { step: 1 }, Rc::new(n)).await.map(|n| *n));
    both(async |n: u64| Generic::get(&Service { step: 1 }, n, "x").await.map(|_| n));
    both(async |n| Generic::<()>::pinned(Pin::new(&mut Service { step: 1 }), n).await);
    both(<Service as Generic<()>>::associated);
}
