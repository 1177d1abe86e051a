//! What an expansion calls for a handler that is answered from the cache: stubs, which run the body.

use std::{fmt::Display, future::IntoFuture};

use super::{
    Decode, Entered, Finish, FlowBuilder, HandlerSpec, Named, Once, Prepared, Returns, Source, enter,
    enter_eager, enter_on,
};
use crate::{handler::Outcome, pipeline::Registered, step::StepError};

/// The names of a reader's entry.
#[derive(Debug, Default)]
pub struct Names {
    pub seen: Vec<String>,
}

impl Names {
    pub fn when(&mut self, when: bool) {
        self.seen.push(format!("when={when}"));
    }

    pub fn key<T: Named + ?Sized>(&mut self, key: &T) {
        self.seen.push(format!("key={key}"));
    }

    pub fn actor<T: Named + ?Sized>(&mut self, actor: &T) {
        self.seen.push(format!("actor={actor}"));
    }

    pub fn depends_on(&mut self, pattern: &'static str, ids: impl FnOnce(&mut dyn FnMut(&dyn Display))) {
        ids(&mut |id| self.seen.push(format!("{pattern}={id}")));
    }
}

impl FlowBuilder<'_> {
    pub fn touches(&mut self, pattern: &'static str, ids: impl FnOnce(&mut dyn FnMut(&dyn Display))) {
        self.depends_on(pattern, ids);
    }

    pub fn depends_on(&mut self, pattern: &'static str, ids: impl FnOnce(&mut dyn FnMut(&dyn Display))) {
        ids(&mut |id| drop(format!("{pattern}={id}")));
    }

    pub const fn not_cached(&mut self, _reason: &'static str) {}
}

/// A reader whose body has not run.
#[derive(Debug)]
pub struct Reading;

pub fn read(
    spec: &'static HandlerSpec,
    mut names: impl FnMut(&mut Names),
    fill: impl FnMut(&mut FlowBuilder<'_>),
) -> (Reading, Entered) {
    names(&mut Names::default());
    (Reading, enter(spec, fill))
}

pub fn read_on(
    spec: &'static HandlerSpec,
    on: &impl Source,
    mut names: impl FnMut(&mut Names),
    fill: impl FnMut(&mut FlowBuilder<'_>),
) -> (Reading, Entered) {
    names(&mut Names::default());
    (Reading, enter_on(spec, on, fill))
}

pub fn read_eager(
    spec: &'static HandlerSpec,
    mut names: impl FnMut(&mut Names),
    fill: impl FnMut(&mut FlowBuilder<'_>),
) -> (Reading, Entered) {
    names(&mut Names::default());
    (Reading, enter_eager(spec, fill))
}

impl Reading {
    pub fn through<P, R, D>(self, prepared: P, _decode: D) -> P
    where
        P: IntoFuture<Output = R>,
        R: Outcome,
        D: Fn(Decode<'_, R::Ok>) -> Result<R::Ok, StepError>,
    {
        prepared
    }

    pub fn finish<B, V, O, X, A, D>(
        self,
        prepared: Prepared<&mut Once<B>, V::Outcome, O, X, A>,
        _decode: D,
    ) -> V
    where
        B: FnOnce() -> V,
        V: Returns + Finish<O, X, A>,
        O: Fn(&mut FlowBuilder<'_>, &<V::Outcome as Outcome>::Ok),
        X: Fn(&mut FlowBuilder<'_>, &<V::Outcome as Outcome>::Err),
        D: Fn(Decode<'_, <V::Outcome as Outcome>::Ok>) -> Result<<V::Outcome as Outcome>::Ok, StepError>,
    {
        prepared.finish()
    }
}

impl HandlerSpec {
    pub const fn reads(self) -> Self {
        self
    }

    pub const fn refresh_ms(self, _refresh: u64) -> Self {
        self
    }

    pub const fn wait_ms(self, _wait: u64) -> Self {
        self
    }

    pub const fn lag_ms(self, _lag: u64) -> Self {
        self
    }

    pub const fn rev(self, _rev: u32) -> Self {
        self
    }

    pub const fn per_actor(self) -> Self {
        self
    }

    pub const fn shared(self) -> Self {
        self
    }

    pub const fn hold_optional(self) -> Self {
        self
    }
}

impl Registered {
    #[must_use]
    pub const fn keyed(self, _form: &'static str) -> Self {
        self
    }

    #[must_use]
    pub const fn reads(self) -> Self {
        self
    }

    #[must_use]
    pub const fn unwritten(self) -> Self {
        self
    }

    #[must_use]
    pub const fn rev(self, _rev: u32) -> Self {
        self
    }

    #[must_use]
    pub const fn shared(self) -> Self {
        self
    }

    #[must_use]
    pub const fn is_sync(self) -> Self {
        self
    }

    #[must_use]
    pub const fn depends_on(self, _patterns: &'static [&'static str]) -> Self {
        self
    }

    #[must_use]
    pub const fn touches(self, _patterns: &'static [&'static str]) -> Self {
        self
    }

    #[must_use]
    pub const fn versioned(self) -> Self {
        self
    }

    #[must_use]
    pub const fn keeps(self) -> Self {
        self
    }

    #[must_use]
    pub const fn over_result(self) -> Self {
        self
    }
}
