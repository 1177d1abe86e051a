//! Functions with generics, lifetimes and constants.

use std::{
    fmt::{Debug, Display},
    marker::PhantomData,
    ops::Deref,
};

use graceful::orchestrate;

use super::{Odd, both, both_sync, even};

#[orchestrate(pattern = "n", id = n)]
async fn bounds<T, const N: usize>(n: T, _list: [u8; N]) -> Result<T, Odd>
where
    T: Copy + Into<u64> + Display,
    [u8; N]: Debug,
{
    even(n.into()).map(|_| n)
}

#[orchestrate(pattern = "n", id = n)]
async fn lifetimes<'a>(n: &'a u64, _other: &str) -> Result<&'a u64, Odd> {
    even(*n)?;
    Ok(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn outlives<'long: 'short, 'short>(n: &'long u64, m: &'short u64) -> Result<&'short u64, Odd> {
    even(*n)?;
    Ok(if *n == 4 { n } else { m })
}

#[orchestrate(pattern = "n", id = n)]
#[allow(clippy::needless_lifetimes, reason = "that is the shape")]
async fn in_and_out_mut<'a>(n: &'a mut u64) -> Result<&'a mut u64, Odd> {
    even(*n)?;
    *n += 0;
    Ok(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn higher_ranked<F>(n: u64, by: F) -> Result<u64, Odd>
where
    F: for<'a> Fn(&'a u64) -> &'a u64,
{
    even(*by(&n))
}

#[orchestrate(pattern = "n", id = n)]
async fn static_bound<T: Send + 'static + AsRef<str>>(n: u64, text: T) -> Result<T, Odd> {
    even(n)?;
    Ok(text)
}

#[orchestrate(pattern = "n", id = **n)]
async fn unsized_parameter<T: ?Sized + Deref<Target = u64>>(n: &T) -> Result<u64, Odd> {
    even(**n)
}

#[orchestrate(pattern = "n", id = n)]
async fn turbofish<T: TryFrom<u64>>(n: u64) -> Result<T, Odd> {
    T::try_from(even(n)?).map_err(|_| Odd)
}

#[orchestrate(pattern = "n", id = N)]
async fn constants<const N: u64, const FLAG: bool, const LETTER: char>() -> Result<u64, Odd> {
    if FLAG && LETTER == 'x' { even(N) } else { unreachable!() }
}

trait Store {
    type Id: Display + Copy + Into<u64>;
    type Error: From<Odd>;
    const STEP: u64;
    fn step(&self) -> u64;
}

struct Memory;

impl Store for Memory {
    type Id = u64;
    type Error = Odd;
    const STEP: u64 = 1;

    fn step(&self) -> u64 {
        Self::STEP
    }
}

#[orchestrate(pattern = "n", id = n)]
async fn associated<S: Store>(store: &S, n: S::Id) -> Result<S::Id, <S as Store>::Error> {
    even(n.into() * store.step() * S::STEP)?;
    Ok(n)
}

struct Service<'s, S, T = u64, const N: usize = 1>
where
    S: Store,
{
    store: &'s S,
    list: [T; N],
    marker: PhantomData<fn(T) -> T>,
}

#[orchestrate(pattern = "n")]
impl<'s, S: Store, T, const N: usize> Service<'s, S, T, N>
where
    T: Copy + Into<u64>,
{
    #[orchestrate(id = n)]
    async fn of_the_impl(&self, n: S::Id) -> Result<S::Id, Odd> {
        even(n.into() * self.list[N - 1].into())?;
        Ok(n)
    }

    #[orchestrate(id = n)]
    async fn borrowed_from_it(&self, n: u64) -> Result<&'s S, S::Error> {
        even(n)?;
        Ok(self.store)
    }

    #[orchestrate(id = n)]
    async fn more_of_its_own<'a, U>(&'a self, n: u64, other: &'a U) -> Result<(&'a T, &'a U), Odd>
    where
        U: ?Sized + Debug,
        's: 'a,
    {
        even(n)?;
        Ok((&self.list[0], other))
    }

    #[orchestrate(id = n)]
    async fn only_when_sized(self, n: u64) -> Result<u64, Odd>
    where
        Self: Sized,
    {
        let _ = self.marker;
        even(n)
    }

    #[orchestrate(id = n)]
    async fn returns_itself(&mut self, n: u64) -> Result<&mut Self, Odd> {
        even(n)?;
        Ok(self)
    }

    #[orchestrate(id = n)]
    async fn anonymous_of_the_impl(n: u64, service: Service<'_, S>) -> Result<u64, Odd> {
        even(n * service.list[0])
    }
}

#[orchestrate(pattern = "n", id = n)]
fn sync_bounds<'a, T: 'a + ?Sized, const N: usize>(n: u64, value: &'a T, _: [(); N]) -> Result<&'a T, Odd>
where
    for<'b> &'b T: Debug,
{
    even(n)?;
    Ok(value)
}

#[orchestrate(pattern = "n", id = n)]
fn captures<'a, T: Debug + 'a>(
    n: u64,
    list: &'a [T],
) -> Result<impl Iterator<Item = &'a T> + use<'a, T>, Odd> {
    even(n)?;
    Ok(list.iter())
}

#[test]
fn functions() {
    both(async |n: u64| bounds(n, [0; 3]).await);
    both(async |n| lifetimes(&n, "x").await.copied());
    both(async |n| outlives(&n, &n).await.copied());
    both(async |mut n| in_and_out_mut(&mut n).await.copied());
    both(async |n| higher_ranked(n, |m| m).await);
    both(async |n| static_bound(n, "x").await.map(|_| n));
    both(async |n| unsized_parameter(&Box::new(n)).await);
    both(async |n| turbofish::<u8>(n).await.map(u64::from));
    both(async |n| match n {
        4 => constants::<4, true, 'x'>().await,
        _ => constants::<3, true, 'x'>().await,
    });
    both(async |n| associated(&Memory, n).await);
    both_sync(|n| sync_bounds(n, "x", [(); 2]).map(|_| n));
    both_sync(|n| captures(n, &[n]).map(|mut list| *list.next().unwrap()));
}

#[test]
fn methods() {
    let service = || Service::<_, u32> { store: &Memory, list: [1], marker: PhantomData };
    both(async |n| service().of_the_impl(n).await);
    both(async |n| service().borrowed_from_it(n).await.map(|store| store.step() * n));
    both(async |n| service().more_of_its_own(n, "x").await.map(|(one, _)| u64::from(*one) * n));
    both(async |n| service().only_when_sized(n).await);
    both(async |n| service().returns_itself(n).await.map(|_| n));
    both(async |n| {
        let other = Service { store: &Memory, list: [1], marker: PhantomData };
        Service::<Memory, u32>::anonymous_of_the_impl(n, other).await
    });
}
