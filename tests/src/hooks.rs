//! Hooks that tell that they ran, and hooks at fault.
//!
//! Those at fault take any view.

use std::{
    cell::RefCell,
    future::{Pending, Ready, pending},
};

use graceful::{Failure, Flow, StepError, Success};
use tokio::task::yield_now;

use crate::{User, UserError};

type HookResult = Result<(), StepError>;

thread_local! {
    static CALLS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

pub fn called(what: impl Into<String>) {
    CALLS.with_borrow_mut(|calls| calls.push(what.into()));
}

/// What was called on this thread since it was last asked.
pub fn calls() -> Vec<String> {
    CALLS.take()
}

/// How much was called since it was last asked.
pub fn calls_so_far() -> usize {
    CALLS.with_borrow(Vec::len)
}

pub async fn both(flow: &Flow) -> HookResult {
    yield_now().await;
    called(format!("{} {}", flow.ending().as_str(), flow.entity_id()));
    Ok(())
}

pub async fn ok(success: &Success<'_, User>) -> HookResult {
    yield_now().await;
    called(format!("ok {}", success.value().name));
    Ok(())
}

pub async fn err(failure: &Failure<'_, UserError>) -> HookResult {
    yield_now().await;
    called(format!("err {:?}", failure.error()));
    Ok(())
}

pub fn fails<V: Copy>(_: V) -> Ready<HookResult> {
    std::future::ready(Err(StepError::new("the hook failed")))
}

pub async fn fails_later<V: Copy>(_: V) -> HookResult {
    yield_now().await;
    Err(StepError::new("the hook failed"))
}

pub fn panics<V: Copy>(_: V) -> Ready<HookResult> {
    panic!("the hook panicked")
}

pub async fn panics_later<V: Copy>(_: V) -> HookResult {
    yield_now().await;
    panic!("the hook panicked")
}

pub fn hangs<V: Copy>(_: V) -> Pending<HookResult> {
    pending()
}

/// The same for one kind of view: where nothing says whose it is, a hook must name it.
macro_rules! of {
    ($module:ident: $view:ty) => {
        pub mod $module {
            use super::*;

            pub fn fails(view: $view) -> Ready<HookResult> {
                super::fails(view)
            }

            pub async fn fails_later(view: $view) -> HookResult {
                super::fails_later(view).await
            }

            pub fn panics(view: $view) -> Ready<HookResult> {
                super::panics(view)
            }

            pub async fn panics_later(view: $view) -> HookResult {
                super::panics_later(view).await
            }

            pub fn hangs(view: $view) -> Pending<HookResult> {
                super::hangs(view)
            }
        }
    };
}

of!(flow: &Flow);
of!(failure: &Failure<'_, UserError>);
