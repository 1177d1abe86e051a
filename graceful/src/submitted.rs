//! What the macros submit from all over a program; without the macros there is nothing.

#[cfg(feature = "macros")]
mod by_macros {
    use crate::{classify::Cause, orchestrator::Requirement};

    inventory::collect!(Cause);
    inventory::collect!(&'static Requirement);

    pub(crate) fn causes() -> impl Iterator<Item = &'static Cause> {
        inventory::iter::<Cause>.into_iter()
    }

    pub(crate) fn requirements() -> impl Iterator<Item = &'static Requirement> {
        inventory::iter::<&'static Requirement>.into_iter().copied()
    }
}

#[cfg(not(feature = "macros"))]
mod by_macros {
    use std::iter;

    use crate::{classify::Cause, orchestrator::Requirement};

    pub(crate) fn causes() -> impl Iterator<Item = &'static Cause> {
        iter::empty()
    }

    pub(crate) fn requirements() -> impl Iterator<Item = &'static Requirement> {
        iter::empty()
    }
}

pub(crate) use self::by_macros::{causes, requirements};
