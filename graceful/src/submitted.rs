//! What the macros submit from all over a program; without the macros there is nothing.

#[cfg(feature = "macros")]
mod by_macros {
    use crate::{classify::Cause, orchestrator::Registered};

    inventory::collect!(Cause);
    inventory::collect!(Registered);

    pub(crate) fn causes() -> impl Iterator<Item = &'static Cause> {
        inventory::iter::<Cause>.into_iter()
    }

    pub(crate) fn handlers() -> impl Iterator<Item = &'static Registered> {
        inventory::iter::<Registered>.into_iter()
    }
}

#[cfg(not(feature = "macros"))]
mod by_macros {
    use std::iter;

    use crate::{classify::Cause, orchestrator::Registered};

    pub(crate) fn causes() -> impl Iterator<Item = &'static Cause> {
        iter::empty()
    }

    pub(crate) fn handlers() -> impl Iterator<Item = &'static Registered> {
        iter::empty()
    }
}

pub(crate) use self::by_macros::{causes, handlers};
