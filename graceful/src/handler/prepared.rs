//! A call before it runs: body, arms, and the hooks that borrow the result.

use std::{
    future::{Future, IntoFuture},
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::Arc,
};

use super::{Active, After, Decode, FlowBuilder, LastGood, NoFallback, Once, Plain, Run, Typed};
use crate::{
    flow::{Flow, Loading},
    handler::Outcome,
    pipeline::{FirstPoll, HookResult},
    step::{Step, StepError},
};

/// A call before it runs. An async call is awaited, any other call is [finished](Self::finish).
#[must_use = "it does nothing unless it is awaited or finished"]
pub struct Prepared<B, R, O, X, A> {
    active: Option<Active>,
    body: B,
    arms: (O, X, A),
    outcome: PhantomData<fn() -> R>,
}

/// A call whose result no hook borrows.
pub type Plainly<B, R, O, X> = Prepared<B, R, O, X, Plain<<R as Outcome>::Err>>;

/// A call with `fallback = last_good`.
type WithLastGood<B, R, O, X, H, D> = Prepared<B, R, O, X, Typed<H, LastGood<D>, <R as Outcome>::Err>>;

impl<B, R: Outcome, O, X> Plainly<B, R, O, X> {
    #[inline]
    pub(crate) fn new(active: Option<Active>, body: B, ok: O, err: X) -> Self {
        Self { active, body, arms: (ok, err, Plain { required: None }), outcome: PhantomData }
    }

    /// Makes the failure of a `required` step the handler's error.
    pub fn required(mut self, into: fn(StepError) -> R::Err) -> Self {
        self.arms.2.required = Some(into);
        self
    }

    /// Adds hooks that borrow the result.
    pub fn typed_hooks<H, Fut>(self, hooks: H) -> Prepared<B, R, O, X, Typed<H, NoFallback, R::Err>>
    where
        H: Fn(Step, Arc<Flow>, Arc<R>) -> Fut,
        Fut: Future<Output = HookResult>,
    {
        self.map(|plain| Typed { hooks, fallback: NoFallback, required: plain.required })
    }
}

impl<B, R: Outcome, O, X, H> Prepared<B, R, O, X, Typed<H, NoFallback, R::Err>> {
    /// Adds a function that turns an `Err` into an `Ok`.
    pub fn fallback<V, Fut>(self, fallback: V) -> Prepared<B, R, O, X, Typed<H, V, R::Err>>
    where
        V: Fn(Arc<Flow>, Arc<R>) -> Fut,
        Fut: Future<Output = Result<Option<R::Ok>, StepError>>,
    {
        self.map(|typed| Typed { hooks: typed.hooks, fallback, required: typed.required })
    }

    /// Lets the last good value turn an `Err` into an `Ok`.
    pub fn last_good<D>(self, decode: D) -> WithLastGood<B, R, O, X, H, D>
    where
        D: Fn(Decode<'_, R::Ok>) -> Result<R::Ok, StepError> + Clone,
    {
        self.map(|typed| Typed { hooks: typed.hooks, fallback: LastGood(decode), required: typed.required })
    }
}

impl<B, R, O, X, A> Prepared<B, R, O, X, A> {
    /// Gives the call the load that the step `cache` stores, or the reason why nothing of it is stored.
    pub(super) fn loads(&mut self, loading: Result<Arc<Loading>, &'static str>) {
        if let Some(active) = &mut self.active {
            active.loads(loading);
        }
    }

    pub(super) fn into_parts(self) -> (Option<Active>, B, (O, X, A)) {
        (self.active, self.body, self.arms)
    }

    pub(super) fn map<Next>(self, next: impl FnOnce(A) -> Next) -> Prepared<B, R, O, X, Next> {
        let (ok, err, after) = self.arms;
        Prepared { active: self.active, body: self.body, arms: (ok, err, next(after)), outcome: PhantomData }
    }
}

impl<F, R, O, X, A> IntoFuture for Prepared<F, R, O, X, A>
where
    F: Future<Output = R>,
    R: Outcome,
    O: Fn(&mut FlowBuilder<'_>, &R::Ok),
    X: Fn(&mut FlowBuilder<'_>, &R::Err),
    A: After<R>,
{
    type Output = R;
    type IntoFuture = Run<F, O, X, A, A::Post>;

    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        Run::Body { body: self.body, active: self.active, arms: self.arms }
    }
}

impl<B, V, O, X, A> Prepared<&mut Once<B>, V::Outcome, O, X, A>
where
    B: FnOnce() -> V,
    V: Returns,
    O: Fn(&mut FlowBuilder<'_>, &<V::Outcome as Outcome>::Ok),
    X: Fn(&mut FlowBuilder<'_>, &<V::Outcome as Outcome>::Err),
{
    /// Runs a body that is not async, and then the steps.
    pub fn finish(self) -> V
    where
        V: Finish<O, X, A>,
    {
        let mut active = self.active;
        if V::IS_NOW && !active.as_mut().is_some_and(Active::resolve) {
            active = None;
        }
        if V::IS_NOW
            && let Some(Err(error)) = active.as_mut().map(Active::hold_now)
            && let Some(refused) = V::refused(&mut active, &self.arms.2, error)
        {
            return refused;
        }
        let Some(mut active) = active else { return self.body.call() };
        let entered = active.enter_body();
        let returned = catch_unwind(AssertUnwindSafe(|| self.body.call()));
        active.leave_body(entered);
        match returned {
            Ok(returned) => returned.finish(active, self.arms),
            Err(payload) => {
                if let Some(ended) = active.panicked(&*payload) {
                    drop(FirstPoll::once(ended));
                }
                resume_unwind(payload)
            }
        }
    }
}

/// The return type of a function that is not `async`: a `Result`, or a boxed future of one.
#[diagnostic::on_unimplemented(
    message = "a handler returns a `Result`, but this one returns `{Self}`",
    label = "neither a `Result` nor a boxed future of one",
    note = "return a `Result` (any alias of it), an `impl Future` or a `Pin<Box<dyn Future>>` of one, or remove the attribute"
)]
pub trait Returns {
    /// The body has run when the function returns; otherwise it runs when its future is polled.
    #[doc(hidden)]
    const IS_NOW: bool;
    type Outcome: Outcome;
}

/// Runs the body, and the steps after it.
#[diagnostic::on_unimplemented(
    message = "the steps of this handler do not fit into the boxed `Send` future that it returns",
    label = "it returns a boxed future that is `Send`",
    note = "the expressions of the attribute, its hooks and what they share with the handler must be `Send`, and with a typed \
            hook or a fallback the `Result` both `Send` and `Sync`",
    note = "a type parameter of the `Result` must outlive the future, as by `T: 'static`; if it cannot be bound, as in a \
            trait's implementation, annotate a function of its own, and box its future: \
            `Box::pin(async move {{ self.load_now(id).await }})`"
)]
pub trait Finish<O, X, A>: Returns + Sized {
    #[doc(hidden)]
    #[must_use]
    fn finish(self, active: Active, arms: (O, X, A)) -> Self;

    /// The outcome of a call whose body does not run, because its hold was not confirmed.
    #[doc(hidden)]
    fn refused(_: &mut Option<Active>, _: &A, _: StepError) -> Option<Self> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<T, E> Returns for Result<T, E> {
    const IS_NOW: bool = true;
    type Outcome = Self;
}

impl<T, E, O, X, A> Finish<O, X, A> for Result<T, E>
where
    O: Fn(&mut FlowBuilder<'_>, &T),
    X: Fn(&mut FlowBuilder<'_>, &E),
    A: After<Self>,
{
    fn finish(self, mut active: Active, (ok, err, after): (O, X, A)) -> Self {
        if !active.resolve() {
            return self;
        }
        match active.returned(&self, &ok, &err) {
            Some(ended) => after.once(ended, self),
            None => self,
        }
    }

    fn refused(active: &mut Option<Active>, after: &A, error: StepError) -> Option<Self> {
        let refused = after.refused(error);
        Some(match active.take().and_then(Active::unavailable) {
            Some(ended) => after.once(ended, refused),
            None => refused,
        })
    }
}

macro_rules! boxed {
    ($($send:ident)?) => {
        #[diagnostic::do_not_recommend]
        impl<'a, R: Outcome> Returns for Pin<Box<dyn Future<Output = R> $(+ $send)? + 'a>> {
            const IS_NOW: bool = false;
            type Outcome = R;
        }

        #[diagnostic::do_not_recommend]
        impl<'a, R, O, X, A> Finish<O, X, A> for Pin<Box<dyn Future<Output = R> $(+ $send)? + 'a>>
        where
            R: Outcome + 'a,
            O: Fn(&mut FlowBuilder<'_>, &R::Ok) $(+ $send)? + 'a,
            X: Fn(&mut FlowBuilder<'_>, &R::Err) $(+ $send)? + 'a,
            A: After<R, Post: $($send +)? 'a> $(+ $send)? + 'a,
        {
            fn finish(self, active: Active, arms: (O, X, A)) -> Self {
                Box::pin(Run::Body { body: self, active: Some(active), arms })
            }
        }
    };
}

boxed!();
boxed!(Send);

impl<B, R, O, X, A> std::fmt::Debug for Prepared<B, R, O, X, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("active", &self.active).finish_non_exhaustive()
    }
}
