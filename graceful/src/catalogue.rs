//! The catalogue: the annotated handlers of this program, for consoles and documents.

use crate::{
    pipeline::{Registered, registry},
    step::Step,
};

/// The annotated handlers of this program, whether they are called or not.
///
/// Each handler registers itself at link time. Handlers with `catalogue = off` are not listed. Without the feature `macros` the catalogue
/// is empty.
///
/// ```standalone_crate
/// use graceful::{Code, Step, catalogue::Catalogue, orchestrate};
///
/// #[orchestrate(pattern = "user", cache = id, audit(required))]
/// async fn update_user(id: u64) -> Result<u64, graceful::StepError> { Ok(id) }
///
/// #[orchestrate(pattern = "user", catalogue = off)]
/// async fn hidden() -> Result<(), Code> { Ok(()) }
///
/// let catalogue = Catalogue::of_program();
/// let [handler] = catalogue.handlers() else { panic!("one handler is listed") };
/// assert_eq!((handler.name, handler.pattern), ("update_user", "user"));
/// assert_eq!(handler.declared, [Step::Cache, Step::Audit]);
/// assert_eq!(handler.required, [Step::Audit]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    handlers: Vec<CataloguedHandler>,
}

/// A handler of the catalogue: what its declaration says, known before it is first called.
///
/// ```standalone_crate
/// use graceful::{Code, catalogue::Catalogue, orchestrate};
///
/// #[orchestrate(pattern = "user", delivery = "durable", name = "users::greet")]
/// async fn greet() -> Result<(), Code> { Ok(()) }
///
/// let catalogue = Catalogue::of_program();
/// let greet = &catalogue.handlers()[0];
/// assert!(greet.is_durable && !greet.is_sync && !greet.reads);
/// assert_eq!((greet.identity.as_str(), greet.name), ("users::greet", "greet"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CataloguedHandler {
    /// The name by which the handler is known beyond one process.
    ///
    /// For a durable handler it is the identity that stored flows and pauses have: its `name`, otherwise module path, type, trait and
    /// function. For every other handler it is the path of the module and the name of the function, so methods of two types in one module
    /// may have the same.
    pub identity: String,
    /// The name of the function, as in [`Flow::handler`](crate::Flow::handler) and in the label `handler` of metrics.
    pub name: &'static str,
    /// The pattern; empty if it is known only at a call, e.g. a constant of a type parameter.
    pub pattern: &'static str,
    /// The file of the attribute.
    pub file: &'static str,
    /// The line of the attribute in its file.
    pub line: u32,
    /// Whether its delivery is durable, so that a relay runs its steps.
    pub is_durable: bool,
    /// Whether it is not `async`, so that it cannot wait for its steps.
    pub is_sync: bool,
    /// Whether it reads through the cache.
    pub reads: bool,
    /// The steps that the declaration names, in their order, except those that are off and those whose both arms a hook replaces.
    pub declared: &'static [Step],
    /// The steps that are `required`, and `fallback` if it is `last_good`, with the same exceptions.
    pub required: &'static [Step],
}

impl Catalogue {
    /// Lists the handlers of this program.
    ///
    /// The order does not depend on the linker: by identity, then by file and line.
    ///
    /// ```
    /// # use graceful::catalogue::Catalogue;
    /// let catalogue = Catalogue::of_program();
    /// assert!(catalogue.handlers().is_sorted_by(|a, b| a.identity <= b.identity));
    /// ```
    pub fn of_program() -> Self {
        Self::of(registry::handlers())
    }

    fn of<'a>(registered: impl Iterator<Item = &'a Registered>) -> Self {
        let mut handlers: Vec<_> =
            registered.filter(|handler| !handler.is_hidden).map(CataloguedHandler::of).collect();
        handlers.sort_unstable_by(|a, b| {
            (&a.identity, a.file, a.line, a.name).cmp(&(&b.identity, b.file, b.line, b.name))
        });
        Self { handlers }
    }

    /// The handlers, by identity, then by file and line.
    ///
    /// ```
    /// # use graceful::catalogue::Catalogue;
    /// assert_eq!(Catalogue::default().handlers(), []);
    /// ```
    pub fn handlers(&self) -> &[CataloguedHandler] {
        &self.handlers
    }
}

impl CataloguedHandler {
    fn of(registered: &Registered) -> Self {
        Self {
            identity: registered.identity().into_owned(),
            name: registered.handler,
            pattern: registered.pattern,
            file: registered.file(),
            line: registered.line(),
            is_durable: registered.durable.is_some(),
            is_sync: registered.is_sync,
            reads: registered.reads,
            declared: registered.declared,
            required: registered.required,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Durable;

    #[test]
    fn handlers_are_sorted_by_identity_then_by_line_and_hidden_ones_are_left_out() {
        const PAY: Durable = Durable { identity: || "billing::pay", was: &[], hooks: None };
        let handlers = [
            Registered::new("update", "shop", "user").is_sync(),
            Registered::new("secret", "shop", "user").hidden(),
            Registered::new("get", "shop", "first").keyed("{}").reads(),
            Registered::new("get", "shop", "second"),
            Registered::new("pay", "shop", "order").durable(&PAY),
        ];
        let listed = |handlers: &mut dyn Iterator<Item = &Registered>| {
            let catalogue = Catalogue::of(handlers);
            let listed = catalogue.handlers().iter();
            listed.map(|handler| (handler.identity.clone(), handler.pattern)).collect::<Vec<_>>()
        };
        let expected = [
            ("billing::pay", "order"),
            ("shop::get", "first"),
            ("shop::get", "second"),
            ("shop::update", "user"),
        ]
        .map(|(identity, pattern)| (identity.to_owned(), pattern));
        assert_eq!(listed(&mut handlers.iter()), expected);
        assert_eq!(listed(&mut handlers.iter().rev()), expected, "the order of the linker is arbitrary");
        let catalogue = Catalogue::of(handlers.iter());
        let [pay, get, _, update] = catalogue.handlers() else { panic!("{catalogue:?}") };
        assert!(pay.is_durable && !get.is_durable);
        assert!(get.reads && !update.reads);
        assert!(update.is_sync && !pay.is_sync);
    }
}
