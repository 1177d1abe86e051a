//! How much stack a call takes while its body runs, beside the plain function. Without optimisation each move of a large argument is a
//! copy of its own in the frame that moves it.
#![cfg(debug_assertions)]
#![allow(clippy::large_futures, reason = "that is what is measured")]

use graceful::{Orchestrator, orchestrate};

use super::poll_to_end;

const KIB: usize = 1024;

type Large = [u8; 16 * KIB];

const LARGE: Large = [0; 16 * KIB];

/// Where the stack ends.
fn end_of_stack() -> usize {
    let local = 0_u8;
    std::ptr::from_ref(&local).addr()
}

/// The same function, plain and annotated; both answer where the stack ends at the innermost call.
macro_rules! nested {
    (|$depth:ident, $large:ident| $body:block $($async:ident)?) => {
        $($async)? fn plain($depth: usize, $large: Large) -> Result<usize, ()> {
            use plain as next;
            $body
        }

        #[orchestrate(pattern = "n", id = $depth)]
        $($async)? fn annotated($depth: usize, $large: Large) -> Result<usize, ()> {
            use annotated as next;
            $body
        }
    };
}

/// Bytes of each nested call.
fn per_call(run: impl Fn(usize) -> Result<usize, ()>) -> usize {
    (run(0).unwrap() - run(4).unwrap()) / 4
}

#[track_caller]
fn assert_below(factor: usize, annotated: usize, plain: usize) {
    assert!(annotated < factor * plain, "{annotated} bytes for each call instead of {plain}");
}

mod synchronous {
    use super::*;

    nested! {
        |depth, large| {
            match depth.checked_sub(1) {
                Some(depth) => next(depth, large),
                None => Ok(end_of_stack()),
            }
        }
    }

    #[test]
    fn large_argument_takes_less_than_four_times_the_stack_of_a_plain_call() {
        let plain = per_call(|depth| plain(depth, LARGE));
        assert_below(4, per_call(|depth| annotated(depth, LARGE)), plain);
        let orchestrator = Orchestrator::in_memory();
        assert_below(4, orchestrator.sync_scope(|| per_call(|depth| annotated(depth, LARGE))), plain);
    }
}

mod asynchronous {
    use super::*;

    nested! {
        |depth, large| {
            match depth.checked_sub(1) {
                Some(depth) => Box::pin(next(depth, large)).await,
                None => Ok(end_of_stack()),
            }
        }
        async
    }

    #[test]
    fn large_argument_takes_less_than_twice_the_stack_of_a_plain_call() {
        let plain = per_call(|depth| poll_to_end(plain(depth, LARGE)));
        assert_below(2, per_call(|depth| poll_to_end(annotated(depth, LARGE))), plain);
        let orchestrator = Orchestrator::in_memory();
        let scoped = |depth| poll_to_end(orchestrator.scope(annotated(depth, LARGE)));
        assert_below(2, per_call(scoped), plain);
    }
}
