//! What expansions of the macros register from all over a program; without the macros there is nothing.

use crate::{engine::Durable, step::Step};

/// What one handler requires; registered by its expansion, and only where there is something to check.
#[doc(hidden)]
#[derive(Debug)]
pub struct Requirement {
    pub handler: &'static str,
    pub module: &'static str,
    pub file: &'static str,
    pub line: u32,
    /// How a relay finds it, where its delivery is durable.
    pub durable: Option<&'static Durable>,
    /// Steps that are `required`, or that an argument relies on, and that no hook overrides.
    pub steps: &'static [Step],
}

impl Requirement {
    /// Whether `path` names it, its module, or a module around it.
    pub(crate) fn is_in(&self, path: &str) -> bool {
        let within = |module: &str| {
            module.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        within(self.module)
            || path.strip_prefix(self.module).and_then(|rest| rest.strip_prefix("::")) == Some(self.handler)
    }
}

#[cfg(feature = "macros")]
inventory::collect!(&'static Requirement);

/// What the handlers of this program require.
#[cfg(feature = "macros")]
pub(crate) fn requirements() -> impl Iterator<Item = &'static Requirement> {
    inventory::iter::<&'static Requirement>.into_iter().copied()
}

#[cfg(not(feature = "macros"))]
pub(crate) fn requirements() -> impl Iterator<Item = &'static Requirement> {
    std::iter::empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANDLER: Requirement = Requirement {
        handler: "update_user",
        module: "shop::users",
        file: "src/users.rs",
        line: 12,
        durable: None,
        steps: &[],
    };

    #[test]
    fn path_of_handler_or_module_around_it_names_the_handler() {
        for path in ["shop", "shop::users", "shop::users::update_user"] {
            assert!(HANDLER.is_in(path), "{path}");
        }
        for path in ["sho", "shop::user", "shop::users::update", "shop::users::update_user::inner", "users"] {
            assert!(!HANDLER.is_in(path), "{path}");
        }
    }
}
