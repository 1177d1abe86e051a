//! Futures that are not `Send`, such as those of actix handlers.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use graceful::orchestrate;

use super::{Odd, both, even};

/// Extractors, as they are written there.
struct Data<T>(Rc<T>);
struct Path<T>(T);
struct Json<T>(T);

struct App {
    calls: Cell<u64>,
    log: RefCell<Vec<u64>>,
}

#[orchestrate(pattern = "n", id = n)]
async fn across_an_await(n: Rc<u64>) -> Result<u64, Odd> {
    tokio::task::yield_now().await;
    even(*n)
}

#[orchestrate(pattern = "n", id = n, actor = app.calls.get())]
async fn extractors(
    Data(app): Data<App>,
    Path(n): Path<u64>,
    Json(text): Json<String>,
) -> Result<Json<u64>, Odd> {
    app.calls.set(app.calls.get() + 1);
    app.log.borrow_mut().push(n);
    tokio::task::yield_now().await;
    assert!(text.is_empty());
    Ok(Json(even(n)?))
}

#[orchestrate(pattern = "n", id = path.0)]
#[allow(clippy::await_holding_refcell_ref, reason = "that is the shape")]
async fn not_destructured(app: Data<App>, path: Path<u64>) -> Result<Rc<u64>, Rc<Odd>> {
    let guard = app.0.log.borrow();
    tokio::task::yield_now().await;
    assert!(guard.is_empty());
    even(path.0).map(Rc::new).map_err(Rc::new)
}

#[orchestrate(pattern = "n", id = n)]
async fn spawns_here(n: Rc<u64>) -> Result<u64, Odd> {
    let task = tokio::task::spawn_local(async move {
        tokio::task::yield_now().await;
        *n
    });
    even(task.await.unwrap())
}

fn app() -> Data<App> {
    Data(Rc::new(App { calls: Cell::new(0), log: RefCell::default() }))
}

#[test]
fn handlers_whose_futures_are_not_send_run_both_flows() {
    both(async |n| across_an_await(Rc::new(n)).await);
    both(async |n| extractors(app(), Path(n), Json(String::new())).await.map(|Json(n)| n));
    both(async |n| not_destructured(app(), Path(n)).await.map(|n| *n).map_err(|odd| *odd));
    both(async |n| spawns_here(Rc::new(n)).await);
}
