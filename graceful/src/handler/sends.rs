//! Futures that must be `Send` although the result is not known to be `Send`. Such a result cannot be stored in the future while the
//! steps run. So only the steps that are ready at once run, and the others continue in the background, as for a function that is not
//! async.
//!
//! Whether the result is `Send` is found by method resolution, as in [`probe`](super::probe).

use std::{
    future::{Future, Pending},
    marker::PhantomData,
    ops::Deref,
    task::{Context, Poll},
};

use super::{After, Once, Plain, Prepared, Returns, Run, Typed, after::taken, prepared::Finish};
use crate::{handler::Outcome, pipeline::Ended, step::StepError};

/// A call whose result may be `Send`; the first level of the method resolution.
#[derive(Debug)]
pub struct Sends<C>(SendsNot<C>);

/// A call whose result is not known to be `Send`, so it cannot wait for its steps.
#[derive(Debug)]
pub struct SendsNot<C>(PhantomData<fn() -> C>);

impl<B, R, O, X, A> Prepared<B, R, O, X, A> {
    /// Starts the method resolution.
    pub fn __graceful_sends(&self) -> Sends<Self> {
        Sends(SendsNot(PhantomData))
    }
}

impl<F, O, X, A, P> Run<F, O, X, A, P> {
    /// Starts the method resolution.
    pub fn __graceful_sends(&self) -> Sends<Self> {
        Sends(SendsNot(PhantomData))
    }
}

impl<C> Deref for Sends<C> {
    type Target = SendsNot<C>;

    fn deref(&self) -> &SendsNot<C> {
        &self.0
    }
}

/// Runs the steps for a caller that does not wait.
#[derive(Clone, Copy, Debug)]
pub struct AtOnce<A>(A);

impl<R: Outcome, A: After<R>> After<R> for AtOnce<A> {
    /// The future is never used, because nothing waits.
    type Post = Pending<R>;

    fn begin(self, ended: Ended, result: &mut Poll<R>, _: &mut Context<'_>) -> Option<Pending<R>> {
        *result = Poll::Ready(self.0.once(ended, taken(result)));
        None
    }

    fn once(self, ended: Ended, result: R) -> R {
        self.0.once(ended, result)
    }

    fn refused(self, error: StepError) -> R {
        self.0.refused(error)
    }
}

/// Steps that can run without the result. Typed hooks cannot, because they borrow it.
pub trait Otherwise {
    type Otherwise;
    fn otherwise(self) -> Self::Otherwise;
}

impl<E> Otherwise for Plain<E> {
    type Otherwise = AtOnce<Self>;

    fn otherwise(self) -> AtOnce<Self> {
        AtOnce(self)
    }
}

impl<H, V, E> Otherwise for Typed<H, V, E> {
    type Otherwise = Self;

    fn otherwise(self) -> Self {
        self
    }
}

impl<B, V, O, X, A> Sends<Prepared<&mut Once<B>, V::Outcome, O, X, A>>
where
    B: FnOnce() -> V,
    V: Finish<O, X, A>,
    O: Fn(&mut super::FlowBuilder<'_>, &<V::Outcome as Outcome>::Ok),
    X: Fn(&mut super::FlowBuilder<'_>, &<V::Outcome as Outcome>::Err),
{
    pub fn __graceful_finish(&self, call: Prepared<&mut Once<B>, V::Outcome, O, X, A>) -> V {
        call.finish()
    }
}

impl<B, V, O, X, A> SendsNot<Prepared<&mut Once<B>, V::Outcome, O, X, A>>
where
    B: FnOnce() -> V,
    V: Returns,
    O: Fn(&mut super::FlowBuilder<'_>, &<V::Outcome as Outcome>::Ok),
    X: Fn(&mut super::FlowBuilder<'_>, &<V::Outcome as Outcome>::Err),
    A: Otherwise,
{
    pub fn __graceful_finish(&self, call: Prepared<&mut Once<B>, V::Outcome, O, X, A>) -> V
    where
        V: Finish<O, X, A::Otherwise>,
    {
        call.map(Otherwise::otherwise).finish()
    }
}

impl<F, O, X, A, P: Send> Sends<Run<F, O, X, A, P>> {
    pub fn __graceful_run(&self, run: Run<F, O, X, A, P>) -> Run<F, O, X, A, P> {
        run
    }
}

impl<F: Future, O, X, A, P> SendsNot<Run<F, O, X, A, P>> {
    pub fn __graceful_run(&self, run: Run<F, O, X, A, P>) -> Run<F, O, X, AtOnce<A>, Pending<F::Output>> {
        let Run::Body { body, active, arms: (ok, err, after) } = run else {
            unreachable!("it was not polled yet")
        };
        Run::Body { body, active, arms: (ok, err, AtOnce(after)) }
    }
}
