//! Values are dropped at the same time as in the plain function, in every shape and for every outcome.
#![allow(
    clippy::needless_pass_by_value,
    unused_variables,
    reason = "what is measured is when they are dropped"
)]

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Waker},
};

use graceful::{Orchestrator, orchestrate};
use tokio::task::yield_now;

use super::{Drops, Pair, logged, poll_to_end};

impl Drops {
    #[allow(clippy::unnecessary_wraps, reason = "a handler returns it")]
    fn ok(&self) -> Result<(), ()> {
        assert!(!self.0.is_empty());
        Ok(())
    }
}

/// The same functions, plain and annotated.
macro_rules! twins {
    ($([$($function:tt)*])*) => {
        mod plain {
            use super::*;

            $(pub(super) $($function)*)*
        }

        mod annotated {
            use super::*;

            $(
                #[orchestrate(pattern = "n", id = 1)]
                pub(super) $($function)*
            )*
        }
    };
}

twins! {
    [async fn tail(first: Drops, second: Drops) -> Result<(), ()> {
        let _local = Drops("local");
        let _ = (&first, &second);
        Drops("temporary").ok()
    }]

    [async fn tail_mut(first: Drops, mut second: Drops, third: Drops) -> Result<(), ()> {
        let _local = Drops("local");
        second.0 = "second, changed";
        let _ = (&first, &third);
        Drops("temporary").ok()
    }]

    [fn tail_sync(first: Drops, mut second: Drops, third: Drops) -> Result<(), ()> {
        let _local = Drops("local");
        second.0 = "second, changed";
        let _ = (&first, &third);
        Drops("temporary").ok()
    }]

    [async fn tail_match(mut first: Drops, _second: Drops) -> Result<(), ()> {
        first.0 = "first, changed";
        match Drops("scrutinee").ok() {
            Ok(()) => Drops("temporary").ok(),
            Err(()) => Err(()),
        }
    }]

    [async fn returns(mut first: Drops, Pair(second, mut third): Pair, _: Drops) -> Result<(), ()> {
        let _local = Drops("local");
        first.0 = "first, changed";
        third.0 = "third, changed";
        let _ = &second;
        yield_now().await;
        if third.0.len() > 1 {
            return Drops("temporary").ok();
        }
        Err(())
    }]

    [async fn moves(first: Drops, mut second: Drops, third: Drops) -> Result<(), ()> {
        drop(third);
        let moved = first;
        let _ = &second;
        second = Drops("another");
        yield_now().await;
        let _ = (&moved, &second);
        Ok(())
    }]

    [async fn unused(first: Drops, second: Drops, _third: Drops, _: Drops) -> Result<(), ()> {
        let _local = Drops("local");
        Drops("temporary").ok()
    }]

    [async fn panics(first: Drops, mut second: Drops, _: Drops) -> Result<(), ()> {
        let _local = Drops("local");
        second.0 = "second, changed";
        yield_now().await;
        let _ = &first;
        panic!("no")
    }]

    [fn panics_sync(first: Drops, mut second: Drops, _: Drops) -> Result<(), ()> {
        let _local = Drops("local");
        second.0 = "second, changed";
        let _ = &first;
        panic!("no")
    }]

    [async fn waits(first: Drops, mut second: Drops, _: Drops, _third: Drops) -> Result<(), ()> {
        let _local = Drops("local");
        second.0 = "second, changed";
        std::future::pending::<()>().await;
        let _ = (&first, &second);
        Ok(())
    }]

    [fn opaque(first: Drops, mut second: Drops, _: Drops) -> impl Future<Output = Result<(), ()>> {
        let _eager = Drops("eager");
        second.0 = "second, changed";
        async move {
            let _local = Drops("local");
            yield_now().await;
            let _ = (&first, &second);
            Ok(())
        }
    }]

    [fn boxed(first: Drops, second: Drops, _third: Drops) -> Pin<Box<dyn Future<Output = Result<(), ()>>>> {
        let _eager = Drops("eager");
        Box::pin(async move {
            let _local = Drops("local");
            yield_now().await;
            let _ = (&second, &first);
            Drops("temporary").ok()
        })
    }]

    [async fn patterns(
        (first, mut second): (Drops, Drops),
        [third, fourth]: [Drops; 2],
        whole @ Pair(..): Pair,
        Pair(fifth, mut sixth): Pair,
    ) -> Result<(), ()> {
        second.0 = "second, changed";
        yield_now().await;
        sixth.0 = "sixth, changed";
        let _ = (&first, &third, &fourth, &whole, &fifth, &sixth);
        Ok(())
    }]

    [async fn shadows(first: Drops, second: Drops) -> Result<(), ()> {
        let first = Pair(first, Drops("inner"));
        let second = Pair(Drops("outer"), second);
        let _ = (&first, &second);
        Ok(())
    }]
}

fn all() -> [Drops; 4] {
    [Drops("first"), Drops("second"), Drops("third"), Drops("fourth")]
}

/// What is logged by the plain function, and by the annotated one without an orchestrator and with one.
#[track_caller]
fn same(plain: impl Fn(), annotated: impl Fn()) {
    let expected = logged(plain);
    assert!(expected.len() > 1, "{expected:?}");
    assert_eq!(logged(&annotated), expected, "without an orchestrator");
    assert_eq!(logged(|| Orchestrator::in_memory().sync_scope(annotated)), expected, "with one");
}

fn ends<F: Future<Output = Result<(), ()>>>(future: F) {
    poll_to_end(future).unwrap();
}

fn is_dropped_while_it_waits<F: Future>(future: F) {
    let mut future = Box::pin(future);
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

fn is_over<T>(_: T) {}

fn unwinds(call: impl FnOnce()) {
    assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
}

macro_rules! compare {
    ($check:ident, $name:ident, [$($argument:ident),*], $($arguments:expr),*) => {
        same(
            || {
                let [$($argument),*, ..] = all();
                $check(plain::$name($($arguments),*));
            },
            || {
                let [$($argument),*, ..] = all();
                $check(annotated::$name($($arguments),*));
            },
        )
    };
}

#[test]
fn temporaries_of_the_tail() {
    compare!(ends, tail, [a, b], a, b);
    compare!(ends, tail_mut, [a, b, c], a, b, c);
    compare!(is_over, tail_sync, [a, b, c], a, b, c);
    compare!(ends, tail_match, [a, b], a, b);
}

#[test]
fn arguments() {
    compare!(ends, returns, [a, b, c, d], a, Pair(b, c), d);
    compare!(ends, moves, [a, b, c], a, b, c);
    compare!(ends, shadows, [a, b], a, b);
    compare!(
        ends,
        patterns,
        [a, b, c, d],
        (a, b),
        [c, d],
        Pair(Drops("x"), Drops("y")),
        Pair(Drops("z"), Drops("w"))
    );
    compare!(ends, opaque, [a, b, c], a, b, c);
    compare!(ends, boxed, [a, b, c], a, b, c);
}

#[test]
fn other_ends() {
    compare!(is_dropped_while_it_waits, waits, [a, b, c, d], a, b, c, d);
    compare!(is_over, waits, [a, b, c, d], a, b, c, d);
    same(
        || unwinds(|| ends(plain::panics(Drops("a"), Drops("b"), Drops("c")))),
        || unwinds(|| ends(annotated::panics(Drops("a"), Drops("b"), Drops("c")))),
    );
    same(
        || unwinds(|| is_over(plain::panics_sync(Drops("a"), Drops("b"), Drops("c")))),
        || unwinds(|| is_over(annotated::panics_sync(Drops("a"), Drops("b"), Drops("c")))),
    );
}

#[test]
fn unused_arguments_are_dropped_as_in_the_plain_function() {
    compare!(ends, unused, [a, b, c, d], a, b, c, d);
}
