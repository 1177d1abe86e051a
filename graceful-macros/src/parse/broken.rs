//! The arguments that were wrong.

use proc_macro2::TokenStream;
use syn::Ident;

use super::{known::ARGUMENTS, steps};
use crate::{errors::nearest, words::Words};

/// The arguments that were wrong, and reported: what seems to be missing may have been meant by one of them.
#[derive(Default)]
pub(crate) struct Broken {
    names: Vec<&'static str>,
    /// An argument whose meaning is unknown was wrong.
    pub(super) anything: bool,
}

impl Broken {
    pub(crate) fn may_mean(&self, argument: &str) -> bool {
        self.anything || self.names.contains(&argument)
    }

    /// A rule has reported the argument, and it is ignored.
    pub(crate) fn reported(&mut self, argument: &'static str) {
        self.names.push(argument);
    }

    /// The argument of that name, or of one that is near, was wrong; among its options may be what belongs beside it.
    pub(super) fn add(&mut self, name: &Ident, options: TokenStream, own: &[&'static str]) {
        for tree in options {
            self.names.extend(ARGUMENTS.into_iter().find(|known| tree.to_string() == **known));
        }
        let name = name.to_string();
        let meant = nearest(&name, own)
            .or_else(|| steps::owner(&name).map(Words::word))
            .or_else(|| nearest(&name, &ARGUMENTS));
        self.anything |= meant.is_none();
        self.names.extend(meant);
    }

    pub(super) fn or(mut self, defaults: Self) -> Self {
        self.names.extend(defaults.names);
        Self { names: self.names, anything: self.anything || defaults.anything }
    }
}
