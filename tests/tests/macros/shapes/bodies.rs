//! What a body may contain: early returns, awaits, inner items and panics.

use std::{cell::Cell, future::Future, ops::ControlFlow, rc::Rc, sync::Arc};

use graceful::{CallOutcome, orchestrate};
use tokio::task::yield_now;

use super::{Odd, both, both_sync, even, flows_of};

#[orchestrate(pattern = "n", id = n)]
async fn early_return(n: u64) -> Result<u64, Odd> {
    if n == 4 {
        return Ok(n);
    }
    even(n)?;
    unreachable!()
}

#[orchestrate(pattern = "n", id = n)]
#[allow(clippy::never_loop, reason = "that is the shape")]
async fn diverges(n: u64) -> Result<u64, Odd> {
    loop {
        yield_now().await;
        return even(n);
    }
}

#[orchestrate(pattern = "n", id = n)]
#[allow(clippy::needless_return, reason = "that is the shape")]
async fn matches_and_diverges(n: u64) -> Result<u64, Odd> {
    match even(n) {
        Ok(n) => return Ok(n),
        Err(odd) => return Err(odd),
    }
}

#[orchestrate(pattern = "n", id = n)]
async fn only_panics(n: u64) -> Result<u64, Odd> {
    panic!("no {n}")
}

#[orchestrate(pattern = "n", id = n)]
fn only_panics_sync(n: u64) -> Result<Box<dyn Fn(u64)>, Odd> {
    unimplemented_here(n)
}

fn unimplemented_here(n: u64) -> ! {
    panic!("no {n}")
}

#[orchestrate(pattern = "n", id = n)]
async fn own_returns(n: u64) -> Result<u64, Odd> {
    fn nested(n: u64) -> Result<u8, String> {
        if n == 0 {
            return Err("zero".to_owned());
        }
        u8::try_from(n).map_err(|error| error.to_string())
    }
    let closure = |n: u64| -> Result<u64, String> {
        if n > 100 {
            return Err("large".to_owned());
        }
        Ok(nested(n)?.into())
    };
    let future = async move {
        let n = closure(n)?;
        if n == 99 {
            return Err("99".to_owned());
        }
        Ok::<_, String>(n)
    };
    let asynchronous = async |n: u64| -> Result<u64, Odd> {
        even(n)?;
        Ok(n)
    };
    let n = future.await.map_err(|_| Odd)?;
    asynchronous(n).await
}

#[orchestrate(pattern = "n", id = n)]
#[allow(clippy::needless_continue, reason = "that is the shape")]
async fn loops(n: u64) -> Result<u64, Odd> {
    let mut count = 0;
    let four = loop {
        count += 1;
        if count == 4 {
            break count;
        }
        if count > 10 {
            return Err(Odd);
        }
    };
    let found = 'outer: loop {
        for m in 0.. {
            if m == n {
                break 'outer m;
            }
            yield_now().await;
        }
    };
    let mut rest = four;
    while rest > 0 {
        rest -= 1;
        if rest == 2 {
            continue;
        }
    }
    even(found + rest)
}

#[orchestrate(pattern = "n", id = n)]
async fn labeled_block(n: u64) -> Result<u64, Odd> {
    let checked = 'check: {
        if n % 2 == 1 {
            break 'check None;
        }
        Some(n)
    };
    let Some(n) = checked else {
        return Err(Odd);
    };
    Ok(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn let_else(n: u64) -> Result<u64, Odd> {
    let Ok(n) = even(n) else { return Err(Odd) };
    let (Ok(m) | Err(m)) = n.checked_add(0).ok_or(n);
    Ok(m)
}

#[orchestrate(pattern = "n", id = n)]
async fn if_let_and_match(n: u64) -> Result<u64, Odd> {
    if let Ok(n @ 4..) = even(n) {
        Ok(n)
    } else {
        match n {
            0 | 2 => Ok(n),
            m if m % 2 == 0 => Ok(m),
            _ => Err(Odd),
        }
    }
}

#[orchestrate(pattern = "n", id = n)]
async fn joins(n: u64) -> Result<u64, Odd> {
    let (a, b) = tokio::join!(async { even(n) }, async {
        yield_now().await;
        even(n)
    });
    let (last, ()) = tokio::try_join!(async { even(n) }, async { Ok(()) })?;
    a.and(b).map(|_| last)
}

#[orchestrate(pattern = "n", id = n)]
async fn selects(n: u64) -> Result<u64, Odd> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    sender.send(n).unwrap();
    tokio::pin!(let pending = std::future::pending::<()>(););
    tokio::select! {
        biased;
        () = &mut pending => unreachable!(),
        received = receiver => {
            let n = received.map_err(|_| Odd)?;
            if n == 4 {
                return Ok(n);
            }
            even(n)
        }
    }
}

#[orchestrate(pattern = "n", id = n)]
async fn yields(n: u64) -> Result<u64, Odd> {
    let mut sum = 0;
    for m in 0..n {
        yield_now().await;
        sum += m;
        even(sum * 2)?;
    }
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn spawns(n: u64) -> Result<u64, Odd> {
    let shared = Arc::new(n);
    let task = tokio::spawn({
        let shared = Arc::clone(&shared);
        async move { even(*shared) }
    });
    task.await.map_err(|_| Odd)?
}

#[orchestrate(pattern = "n", id = n)]
async fn items_inside(n: u64) -> Result<u64, Odd> {
    use std::fmt::Write as _;

    const STEP: u64 = 1;
    static ZERO: u64 = 0;
    struct Local(u64);
    enum Either {
        One(Local),
    }
    trait Get {
        fn get(self) -> u64;
    }
    impl Get for Either {
        fn get(self) -> u64 {
            let Self::One(Local(n)) = self;
            n
        }
    }
    mod inner {
        pub(super) const ONE: u64 = 1;
    }
    let mut text = String::new();
    write!(text, "{n}").unwrap();
    even(Either::One(Local(n * STEP + ZERO)).get() * inner::ONE)
}

#[orchestrate(pattern = "n", id = n)]
async fn captured_by_a_format(n: u64, text: String, width: usize) -> Result<u64, Odd> {
    assert_eq!(format!("{n:>width$}{text}"), format!("{n:>0$}x", width));
    even(n)
}

#[orchestrate(pattern = "n", id = n)]
#[allow(clippy::unit_arg, reason = "that is the shape")]
async fn unit_tail(n: u64, seen: &Cell<u64>) -> Result<(), Odd> {
    even(n)?;
    Ok(seen.set(n))
}

#[orchestrate(pattern = "n", id = n)]
async fn question_mark_tail(n: u64) -> Result<u64, Odd> {
    Ok(async move { even(n) }.await?)
}

#[orchestrate(pattern = "n", id = n)]
async fn closure_tail(n: u64) -> Result<impl Fn() -> Result<u64, Odd>, Odd> {
    even(n)?;
    Ok(move || even(n))
}

#[orchestrate(pattern = "n", id = n)]
async fn folds(n: u64) -> Result<u64, Odd> {
    let flow =
        (0..=n).try_fold(0, |_, m| if m == n { ControlFlow::Break(m) } else { ControlFlow::Continue(m) });
    let (ControlFlow::Break(m) | ControlFlow::Continue(m)) = flow;
    even(m)
}

#[orchestrate(pattern = "n", id = n)]
async fn holds_a_reference(n: u64) -> Result<u64, Odd> {
    let text = n.to_string();
    let slice = text.as_str();
    yield_now().await;
    even(slice.parse().unwrap())
}

#[orchestrate(pattern = "n", id = n)]
async fn inferred_late(n: u64) -> Result<Vec<u64>, Odd> {
    let mut list = Vec::new();
    even(n)?;
    list.push(n);
    let answer = Ok(list);
    yield_now().await;
    answer
}

#[orchestrate(pattern = "n", id = n)]
fn sync_body(n: u64) -> Result<u64, Odd> {
    let counter = Rc::new(Cell::new(0));
    let find = || -> Option<u64> {
        counter.set(counter.get() + 1);
        [n].iter().copied().find(|m| *m == n)
    };
    let Some(n) = find() else { return Err(Odd) };
    'out: {
        if n == 4 {
            break 'out;
        }
        even(n)?;
    }
    Ok(n)
}

#[orchestrate(pattern = "n", id = n)]
#[rustfmt::skip]
async fn attributes_inside(n: u64) -> Result<u64, Odd> {
    #![allow(clippy::no_effect)]
    #[cfg(not(test))]
    compile_error!("not here");
    #[allow(unused_variables)]
    let unused = 1;
    #[cfg(test)]
    { even(n) }
}

#[orchestrate(pattern = "n", id = n)]
async fn boxed_dyn_futures(n: u64) -> Result<u64, Odd> {
    let list: Vec<std::pin::Pin<Box<dyn Future<Output = u64> + Send>>> =
        vec![Box::pin(async move { n }), Box::pin(std::future::ready(0))];
    let mut sum = 0;
    for future in list {
        sum += future.await;
    }
    even(sum)
}

#[test]
fn leaving() {
    both(early_return);
    both(diverges);
    both(matches_and_diverges);
    both(own_returns);
    both(loops);
    both(labeled_block);
    both(let_else);
    both(if_let_and_match);
    both(question_mark_tail);
    both(async |n| {
        let seen = Cell::new(0);
        unit_tail(n, &seen).await.map(|()| seen.get())
    });
    both(async |n| closure_tail(n).await.and_then(|call| call()));
    both_sync(sync_body);
}

#[test]
fn waiting() {
    both(joins);
    both(selects);
    both(async |n| yields(n).await);
    both(spawns);
    both(holds_a_reference);
    both(boxed_dyn_futures);
}

#[test]
fn inside() {
    both(items_inside);
    both(async |n| captured_by_a_format(n, "x".to_owned(), 5).await);
    both(folds);
    both(async |n| inferred_late(n).await.map(|list| list[0]));
    both(attributes_inside);
}

#[test]
fn panics() {
    let seen = flows_of(async |orchestrator| {
        let task = tokio::task::spawn_local(orchestrator.scope(only_panics(4)));
        assert!(task.await.unwrap_err().is_panic());
        let caught = std::panic::catch_unwind(|| only_panics_sync(3).map(|_| ()));
        assert!(caught.is_err());
    });
    assert_eq!(seen, [(CallOutcome::Panicked, "4".to_owned()), (CallOutcome::Panicked, "3".to_owned())]);
}
