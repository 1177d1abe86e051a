//! `graceful-testing` is a crate for tests: a [`Recorder`] for services that use `graceful`, and [conformance suites](conformance) for
//! backends of your own. With the feature `contract`, `contract_is_locked` compares a program with its `graceful.lock`.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod conformance;
#[cfg(feature = "contract")]
mod contract;
mod in_state;
mod recorder;

#[cfg(feature = "contract")]
#[cfg_attr(docsrs, doc(cfg(feature = "contract")))]
pub use self::contract::contract_is_locked;
pub use self::{
    in_state::InState,
    recorder::{Effect, Recorded, Recorder},
};
