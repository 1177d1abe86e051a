//! Every kind of receiver.

use std::{pin::Pin, rc::Rc, sync::Arc};

use graceful::orchestrate;

use super::{Odd, both, both_sync, even};

#[derive(Clone)]
struct Service {
    step: u64,
}

#[orchestrate(pattern = "n")]
impl Service {
    const STEP: u64 = 1;

    #[orchestrate(id = n)]
    async fn by_ref(&self, n: u64) -> Result<u64, Odd> {
        even(self.step * n)
    }

    #[orchestrate(id = self.step * n)]
    async fn by_mut(&mut self, n: u64) -> Result<u64, Odd> {
        self.step += 1;
        even(n)
    }

    #[orchestrate(id = self.step * n)]
    async fn by_value(self, n: u64) -> Result<u64, Odd> {
        let Self { step } = self;
        even(step * n)
    }

    #[orchestrate(id = n)]
    async fn by_mut_value(mut self, n: u64) -> Result<u64, Odd> {
        self.step *= n;
        even(self.step)
    }

    #[orchestrate(id = n)]
    #[allow(clippy::needless_lifetimes, reason = "that is the shape")]
    async fn with_a_lifetime<'a>(&'a self, n: u64) -> Result<&'a u64, Odd> {
        even(n)?;
        Ok(&self.step)
    }

    #[orchestrate(id = n)]
    async fn typed(self: &Self, n: u64) -> Result<u64, Odd> {
        even(self.step * n)
    }

    #[orchestrate(id = n)]
    async fn typed_mut(self: &mut Self, n: u64) -> Result<u64, Odd> {
        self.step += n;
        even(self.step - 1)
    }

    #[orchestrate(id = self.step * n)]
    async fn by_box(self: Box<Self>, n: u64) -> Result<u64, Odd> {
        let service = *self;
        even(service.step * n)
    }

    #[orchestrate(id = self.step * n)]
    async fn by_rc(self: Rc<Self>, n: u64) -> Result<u64, Odd> {
        even(self.step * n)
    }

    #[orchestrate(id = self.step * n)]
    async fn by_arc(self: Arc<Self>, n: u64) -> Result<u64, Odd> {
        tokio::spawn(async move { even(self.step * n) }).await.unwrap()
    }

    #[orchestrate(id = self.step * n)]
    async fn by_mut_arc(mut self: Arc<Self>, n: u64) -> Result<u64, Odd> {
        Arc::make_mut(&mut self).step = n;
        even(self.step)
    }

    #[orchestrate(id = self.step * n)]
    async fn by_ref_arc(self: &Arc<Self>, n: u64) -> Result<u64, Odd> {
        let shared = Self::clone(self);
        even(shared.step * n)
    }

    #[orchestrate(id = self.step * n)]
    async fn by_ref_box(self: &mut Box<Self>, n: u64) -> Result<u64, Odd> {
        self.step = n;
        even(self.step)
    }

    #[orchestrate(id = self.step * n)]
    async fn by_pin(self: Pin<&mut Self>, n: u64) -> Result<u64, Odd> {
        even(self.step * n)
    }

    #[orchestrate(id = self.step * n)]
    async fn by_mut_pin(mut self: Pin<&mut Self>, n: u64) -> Result<u64, Odd> {
        self.as_mut().step = n;
        self.step = n;
        even(self.step)
    }

    #[orchestrate(id = self.step * n)]
    async fn by_pinned_box(self: Pin<Box<Self>>, n: u64) -> Result<u64, Odd> {
        even(self.step * n)
    }

    #[orchestrate(id = self.step * n)]
    async fn by_shared_pin(self: Pin<&Self>, n: u64) -> Result<u64, Odd> {
        even(self.step * n)
    }

    #[orchestrate(id = n * Self::STEP)]
    async fn associated(n: u64) -> Result<u64, Odd> {
        even(n * Self::STEP)
    }

    #[orchestrate(id = n)]
    async fn constructor(n: u64) -> Result<Self, Odd> {
        even(n).map(|step| Self { step })
    }

    #[orchestrate(id = n)]
    async fn chained(&mut self, n: u64) -> Result<&mut Self, Odd> {
        self.step = even(n)?;
        Ok(self)
    }

    #[orchestrate(id = n)]
    fn sync_ref(&self, n: u64) -> Result<u64, Odd> {
        even(self.step * n)
    }

    #[orchestrate(id = n)]
    fn sync_mut(&mut self, n: u64) -> Result<&mut u64, Odd> {
        self.step = even(n)?;
        Ok(&mut self.step)
    }

    #[orchestrate(id = self.step * n)]
    fn sync_value(mut self, n: u64) -> Result<u64, Odd> {
        self.step *= n;
        even(self.step)
    }

    #[orchestrate(id = self.step * n)]
    fn sync_box(self: Box<Self>, n: u64) -> Result<Box<Self>, Odd> {
        even(n)?;
        Ok(self)
    }

    #[orchestrate(id = self.step * n)]
    fn sync_arc(self: &Arc<Self>, n: u64) -> Result<Arc<Self>, Odd> {
        even(n)?;
        Ok(Self { step: n }.into())
    }

    #[orchestrate(id = self.step * n)]
    fn sync_pin(mut self: Pin<&mut Self>, n: u64) -> Result<u64, Odd> {
        self.set(Self { step: n });
        even(self.step)
    }
}

fn service() -> Service {
    Service { step: 1 }
}

#[test]
fn async_methods() {
    both(async |n| service().by_ref(n).await);
    both(async |n| service().by_mut(n).await);
    both(async |n| service().by_value(n).await);
    both(async |n| service().by_mut_value(n).await);
    both(async |n| service().with_a_lifetime(n).await.map(|one| one * n));
    both(async |n| service().typed(n).await);
    both(async |n| service().typed_mut(n).await);
    both(async |n| service().constructor_and_value(n).await);
    both(async |n| service().chained(n).await.map(|service| service.step));
    both(Service::associated);
}

impl Service {
    /// An associated function, called by a method that is not annotated.
    async fn constructor_and_value(&self, n: u64) -> Result<u64, Odd> {
        Self::constructor(n).await.map(|service| service.step * self.step)
    }
}

#[test]
fn smart_pointers() {
    both(async |n| Box::new(service()).by_box(n).await);
    both(async |n| Rc::new(service()).by_rc(n).await);
    both(async |n| Arc::new(service()).by_arc(n).await);
    both(async |n| Arc::new(service()).by_mut_arc(n).await);
    both(async |n| Arc::new(service()).by_ref_arc(n).await);
    both(async |n| Box::new(service()).by_ref_box(n).await);
    both(async |n| Pin::new(&mut service()).by_pin(n).await);
    both(async |n| Pin::new(&mut service()).by_mut_pin(n).await);
    both(async |n| Box::pin(service()).by_pinned_box(n).await);
    both(async |n| Pin::new(&service()).by_shared_pin(n).await);
}

#[test]
fn sync_methods() {
    both_sync(|n| service().sync_ref(n));
    both_sync(|n| service().sync_mut(n).copied());
    both_sync(|n| service().sync_value(n));
    both_sync(|n| Box::new(service()).sync_box(n).map(|service| service.step * n));
    both_sync(|n| Arc::new(service()).sync_arc(n).map(|service| service.step));
    both_sync(|n| Pin::new(&mut service()).sync_pin(n));
}
