//! Shapes whose expansion might raise a lint that the plain function does not raise.

use std::{
    cell::{RefCell, RefMut},
    collections::HashMap,
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard},
};

use graceful::orchestrate;

use super::{Odd, both, both_sync, even};

type Guard<'a> = MutexGuard<'a, Vec<u64>>;

#[orchestrate(pattern = "n", id = n)]
async fn guards(
    n: u64,
    _first: Guard<'_>,
    mut second: Guard<'_>,
    third: RwLockReadGuard<'_, u64>,
) -> Result<u64, Odd> {
    second.push(n);
    drop(second);
    drop(third);
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
fn guards_sync(n: u64, mut first: Guard<'_>, mut cell: RefMut<'_, u64>) -> Result<u64, Odd> {
    first.push(n);
    *cell += n;
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn units(n: u64, unit: (), mut other: (), last: Result<(), Odd>) -> Result<u64, Odd> {
    if n == 4 {
        other = unit;
    }
    let () = other;
    last?;
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn collections(
    n: u64,
    mut list: Vec<u64>,
    mut map: HashMap<u64, u64>,
    mut text: String,
) -> Result<u64, Odd> {
    list.push(n);
    map.insert(n, n);
    text.push('x');
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn futures(
    n: u64,
    future: impl Future<Output = u64>,
    mut boxed: Pin<Box<dyn Future<Output = u64>>>,
    result: Result<u64, Odd>,
) -> Result<u64, Odd> {
    let sum = future.await + boxed.as_mut().await;
    even(n + sum + result?)
}

#[orchestrate(pattern = "n", id = n)]
async fn references(
    n: &u64,
    m: &mut u64,
    mut k: &u64,
    option: Option<&u64>,
    flag: bool,
    _: &mut u64,
    _: bool,
) -> Result<u64, Odd> {
    *m += k + option.unwrap_or(&0) + u64::from(flag);
    k = n;
    even(*k)
}

#[orchestrate(pattern = "n", id = n, actor = *shared)]
async fn pointers(n: u64, shared: Arc<u64>, mut other: Rc<u64>) -> Result<u64, Odd> {
    *Rc::make_mut(&mut other) += *shared;
    even(n + *other)
}

#[orchestrate(pattern = "n", id = text.len(), actor = &*text, tags = ["x"], message = "{text}", event, metadata = ())]
async fn expressions(text: String) -> Result<u64, Odd> {
    even(u64::try_from(text.len()).unwrap())
}

#[test]
fn no_lint_is_raised() {
    let (first, second) = (Mutex::default(), Mutex::default());
    let third = RwLock::default();
    both(async |n| guards(n, first.lock().unwrap(), second.lock().unwrap(), third.read().unwrap()).await);
    let cell = RefCell::default();
    both_sync(|n| guards_sync(n, first.lock().unwrap(), cell.borrow_mut()));
    both(async |n| units(n, (), (), Ok(())).await);
    both(async |n| collections(n, vec![], HashMap::new(), String::new()).await);
    both(async |n| futures(n, async { 0 }, Box::pin(async { 0 }), Ok(0)).await);
    both(async |n| references(&n, &mut 0, &0, None, false, &mut 0, false).await);
    both(async |n| pointers(n, Arc::new(0), Rc::new(0)).await);
    both(async |n| expressions("x".repeat(usize::try_from(n).unwrap())).await);
}
