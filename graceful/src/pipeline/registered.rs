//! The registered data of a handler. Each handler is registered by its expansion, whether it is called or not.

use std::{borrow::Cow, fmt, panic::Location};

use super::{Contract, Durable, registry};
use crate::step::Step;

/// The registered data of one handler, in a static.
#[doc(hidden)]
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts of a declaration that do not depend on each other")]
pub struct Registered {
    pub(crate) handler: &'static str,
    pub(crate) module: &'static str,
    /// The line of its attribute.
    at: &'static Location<'static>,
    /// Empty if a static cannot name it, e.g. a constant of a type parameter.
    pub(crate) pattern: &'static str,
    /// The steps that the declaration names and no hook replaces.
    pub(crate) declared: &'static [Step],
    /// The steps that are `required` or that an argument needs, and that no hook replaces.
    pub(crate) required: &'static [Step],
    /// The data by which a relay finds it, if its delivery is durable.
    pub(crate) durable: Option<&'static Durable>,
    /// What an `Ok` puts into the cache, if a static can name it.
    pub(crate) cached: Option<Cached>,
    /// The form of the cache key; `None` without a key, empty if the key can have any form.
    pub(crate) key_form: Option<&'static str>,
    /// It reads through the cache.
    pub(crate) reads: bool,
    /// It reads a pattern that no handler writes.
    pub(crate) unwritten: bool,
    /// The form of its cached values.
    pub(crate) rev: u32,
    /// Each actor has a cached value of its own.
    pub(crate) per_actor: bool,
    /// Another program reads what it writes.
    pub(crate) shared: bool,
    /// It cannot wait.
    pub(crate) is_sync: bool,
    /// The patterns of the entities that its value shows.
    pub(crate) depends_on: &'static [&'static str],
    /// The patterns of the further entities that it changes.
    pub(crate) touches: &'static [&'static str],
    /// Its cache key is known only after the body.
    pub(crate) over_result: bool,
    /// Its puts have a version.
    pub(crate) is_versioned: bool,
    /// Its errors keep the cached value.
    pub(crate) keeps: bool,
    /// The catalogue does not list it.
    pub(crate) is_hidden: bool,
    /// What its idempotency keys belong to, if it has some.
    pub(crate) idempotent: Option<Idempotent>,
    /// What the contract of the program says of it.
    pub(crate) contract: Option<Contract>,
}

/// What the idempotency keys of a handler belong to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Idempotent {
    pub(crate) identity: fn() -> &'static str,
    pub(crate) was: &'static [&'static str],
    /// The keys are in the store of the transaction.
    pub(crate) has_tx: bool,
}

impl Idempotent {
    /// The names under which its keys are stored.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once((self.identity)()).chain(self.was.iter().copied())
    }
}

/// What an `Ok` puts into the cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cached {
    /// The form of the key, with `{}` in the place of each value.
    pub(crate) key: &'static str,
    /// The name of the value's type; empty if it has no payload.
    pub(crate) value: fn() -> &'static str,
}

impl Registered {
    /// Creates the data; the location of the caller is that of the attribute.
    #[must_use]
    #[track_caller]
    pub const fn new(handler: &'static str, module: &'static str, pattern: &'static str) -> Self {
        Self {
            handler,
            module,
            at: Location::caller(),
            pattern,
            declared: &[],
            required: &[],
            durable: None,
            cached: None,
            key_form: None,
            reads: false,
            unwritten: false,
            rev: 0,
            per_actor: false,
            shared: false,
            is_sync: false,
            depends_on: &[],
            touches: &[],
            over_result: false,
            is_versioned: false,
            keeps: false,
            is_hidden: false,
            idempotent: None,
            contract: None,
        }
    }

    #[must_use]
    pub const fn keyed(mut self, form: &'static str) -> Self {
        self.key_form = Some(form);
        self
    }

    #[must_use]
    pub const fn reads(mut self) -> Self {
        self.reads = true;
        self
    }

    #[must_use]
    pub const fn unwritten(mut self) -> Self {
        self.unwritten = true;
        self
    }

    #[must_use]
    pub const fn rev(mut self, rev: u32) -> Self {
        self.rev = rev;
        self
    }

    #[must_use]
    pub const fn per_actor(mut self) -> Self {
        self.per_actor = true;
        self
    }

    #[must_use]
    pub const fn shared(mut self) -> Self {
        self.shared = true;
        self
    }

    #[must_use]
    pub const fn is_sync(mut self) -> Self {
        self.is_sync = true;
        self
    }

    #[must_use]
    pub const fn depends_on(mut self, patterns: &'static [&'static str]) -> Self {
        self.depends_on = patterns;
        self
    }

    #[must_use]
    pub const fn touches(mut self, patterns: &'static [&'static str]) -> Self {
        self.touches = patterns;
        self
    }

    #[must_use]
    pub const fn over_result(mut self) -> Self {
        self.over_result = true;
        self
    }

    #[must_use]
    pub const fn versioned(mut self) -> Self {
        self.is_versioned = true;
        self
    }

    #[must_use]
    pub const fn keeps(mut self) -> Self {
        self.keeps = true;
        self
    }

    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.is_hidden = true;
        self
    }

    #[must_use]
    pub const fn idempotent(
        mut self,
        identity: fn() -> &'static str,
        was: &'static [&'static str],
        has_tx: bool,
    ) -> Self {
        self.idempotent = Some(Idempotent { identity, was, has_tx });
        self
    }

    #[must_use]
    pub const fn contract(mut self, contract: Contract) -> Self {
        self.contract = Some(contract);
        self
    }

    #[must_use]
    pub const fn declares(mut self, steps: &'static [Step]) -> Self {
        self.declared = steps;
        self
    }

    #[must_use]
    pub const fn requires(mut self, steps: &'static [Step]) -> Self {
        self.required = steps;
        self
    }

    #[must_use]
    pub const fn durable(mut self, durable: &'static Durable) -> Self {
        self.durable = Some(durable);
        self
    }

    #[must_use]
    pub const fn caches(mut self, key: &'static str, value: fn() -> &'static str) -> Self {
        self.cached = Some(Cached { key, value });
        self
    }

    /// The identity that its expansion has registered; otherwise the path of its module, and its name.
    pub(crate) fn identity(&self) -> Cow<'static, str> {
        let registered = self.contract.map(|contract| contract.identity);
        match registered.or(self.durable.map(|durable| durable.identity)) {
            Some(identity) => identity().into(),
            None => format!("{}::{}", self.module, self.handler).into(),
        }
    }

    pub(crate) fn file(&self) -> &'static str {
        self.at.file()
    }

    pub(crate) fn line(&self) -> u32 {
        self.at.line()
    }

    /// Whether `path` is that of the handler, of its module, or of a module around it.
    pub(crate) fn is_in(&self, path: &str) -> bool {
        let within = |module: &str| {
            module.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        within(self.module)
            || path.strip_prefix(self.module).and_then(|rest| rest.strip_prefix("::")) == Some(self.handler)
    }
}

/// The name with file and line.
impl fmt::Display for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({}:{})", self.handler, self.file(), self.line())
    }
}

/// The maximum number of handlers in one log line.
const NAMED: usize = 3;

/// Lists the handlers that declare each of these steps: a few per step, by file and line.
pub(crate) fn that_declare<'a>(steps: impl IntoIterator<Item = &'a Step>) -> String {
    let of_step = |step: &Step| {
        let mut handlers: Vec<_> =
            registry::handlers().filter(|handler| handler.declared.contains(step)).collect();
        // The order of the linker is arbitrary.
        handlers.sort_unstable_by_key(|handler| (handler.file(), handler.line(), handler.handler));
        let named: Vec<_> = handlers.iter().take(NAMED).map(ToString::to_string).collect();
        let more = match handlers.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!handlers.is_empty()).then(|| format!("{step}: {}{more}", named.join(", ")))
    };
    steps.into_iter().filter_map(of_step).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_of_handler_or_module_around_it_names_the_handler() {
        let handler = Registered::new("update_user", "shop::users", "user");
        for path in ["shop", "shop::users", "shop::users::update_user"] {
            assert!(handler.is_in(path), "{path}");
        }
        for path in ["sho", "shop::user", "shop::users::update", "shop::users::update_user::inner", "users"] {
            assert!(!handler.is_in(path), "{path}");
        }
    }
}
