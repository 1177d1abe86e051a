//! Traits: implementations, default methods, and generic and associated items.
#![allow(clippy::elidable_lifetime_names, reason = "that is the shape")]

use std::{fmt::Display, future::Future, sync::Arc};

use graceful::orchestrate;

use super::{Odd, both, both_sync, even};

struct Service {
    step: u64,
}

#[allow(async_fn_in_trait, reason = "that is the shape")]
trait Handles: Sized {
    type Id: Display + Copy + Into<u64>;
    type Error: From<Odd>;
    const STEP: u64 = 1;

    fn required(&self, n: u64) -> Result<u64, Odd>;
    async fn required_async(&self, n: Self::Id) -> Result<Self::Id, Self::Error>;
    fn required_future(&self, n: u64) -> impl Future<Output = Result<u64, Odd>> + Send;

    #[orchestrate(pattern = "n", id = n)]
    fn default_sync(&self, n: u64) -> Result<u64, Odd> {
        self.required(n)
    }

    #[orchestrate(pattern = "n", id = n)]
    async fn default_async(&self, n: Self::Id) -> Result<Self::Id, Self::Error> {
        even(n.into() * Self::STEP)?;
        Ok(n)
    }

    #[orchestrate(pattern = "n", id = n)]
    fn default_future(&self, n: u64) -> impl Future<Output = Result<u64, Odd>> {
        async move { self.required(n) }
    }

    #[orchestrate(pattern = "n", id = n)]
    #[allow(clippy::trait_duplication_in_bounds, reason = "that is the shape")]
    async fn default_with_a_bound(self, n: u64) -> Result<Self, Odd>
    where
        Self: Sized,
    {
        even(n)?;
        Ok(self)
    }

    #[orchestrate(pattern = "n", id = n)]
    async fn default_associated<T: Into<u64> + Copy + Display>(n: T) -> Result<u64, Odd> {
        even(n.into() * Self::STEP)
    }
}

impl Handles for Service {
    type Error = Odd;
    type Id = u64;

    #[orchestrate(pattern = "elsewhere", id = n, when = false)]
    fn required(&self, n: u64) -> Result<u64, Odd> {
        even(n * self.step)
    }

    #[orchestrate(pattern = "n", id = self.step * n)]
    async fn required_async(&self, n: Self::Id) -> Result<Self::Id, Self::Error> {
        even(n)
    }

    #[orchestrate(pattern = "n", id = self.step * n)]
    async fn required_future(&self, n: u64) -> Result<u64, Odd> {
        tokio::task::yield_now().await;
        even(n)
    }
}

#[test]
fn methods() {
    let service = || Service { step: 1 };
    both_sync(|n| service().default_sync(n));
    both(async |n| service().default_async(n).await);
    both(async |n| service().default_future(n).await);
    both(async |n| service().default_with_a_bound(n).await.map(|service| service.step * n));
    both(async |n: u64| Service::default_associated(n).await);
    both(async |n| service().required_async(n).await);
    both(async |n| service().required_future(n).await);
}

trait Generic<T> {
    async fn get(&self, n: T) -> Result<T, Odd>;
}

#[orchestrate(pattern = "n")]
impl<T, S> Generic<T> for Arc<S>
where
    T: Copy + Into<u64> + Display,
    S: ?Sized + AsRef<Service>,
{
    #[orchestrate(id = n)]
    async fn get(&self, n: T) -> Result<T, Odd> {
        even(n.into() * (**self).as_ref().step)?;
        Ok(n)
    }
}

impl AsRef<Self> for Service {
    fn as_ref(&self) -> &Self {
        self
    }
}

trait Borrows {
    type View<'a>
    where
        Self: 'a;
    async fn view<'a>(&'a self, n: u64) -> Result<Self::View<'a>, Odd>;
}

impl Borrows for Service {
    type View<'a> = &'a u64;

    #[orchestrate(pattern = "n", id = n)]
    async fn view<'a>(&'a self, n: u64) -> Result<Self::View<'a>, Odd> {
        even(n)?;
        Ok(&self.step)
    }
}

trait Object {
    fn handle(&self, n: u64) -> Result<u64, Odd>;

    #[orchestrate(pattern = "n", id = n)]
    fn handle_by_default(&self, n: u64) -> Result<u64, Odd> {
        self.handle(n)
    }

    #[orchestrate(pattern = "n", id = n)]
    fn not_of_objects(self, n: u64) -> Result<u64, Odd>
    where
        Self: Sized,
    {
        self.handle(n)
    }
}

impl Object for Service {
    fn handle(&self, n: u64) -> Result<u64, Odd> {
        even(n * self.step)
    }
}

impl dyn Object {
    #[orchestrate(pattern = "n", id = n)]
    async fn of_an_object(&self, n: u64) -> Result<u64, Odd> {
        self.handle(n)
    }
}

#[derive(Clone, Copy)]
struct Wrapper(u64);

impl std::str::FromStr for Wrapper {
    type Err = Odd;

    #[orchestrate(pattern = "n", id = text)]
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        even(text.parse().map_err(|_| Odd)?).map(Self)
    }
}

impl TryFrom<u64> for Wrapper {
    type Error = Odd;

    #[orchestrate(pattern = "n", id = n)]
    fn try_from(n: u64) -> Result<Self, Odd> {
        Ok(Self(even(n)?))
    }
}

#[test]
fn implementations() {
    both(async |n: u64| Arc::new(Service { step: 1 }).get(n).await);
    both(async |n| Service { step: 1 }.view(n).await.map(|one| one * n));
    let object: Box<dyn Object> = Box::new(Service { step: 1 });
    both_sync(|n| object.handle_by_default(n));
    both(async |n| object.of_an_object(n).await);
    both_sync(|n| Service { step: 1 }.not_of_objects(n));
    both_sync(|n| n.to_string().parse::<Wrapper>().map(|wrapper| wrapper.0));
    both_sync(|n| Wrapper::try_from(n).map(|wrapper| wrapper.0));
}
