//! The catalogue: the annotated handlers of this program, for consoles and documents.

mod handler;

pub use self::handler::{CataloguedEvent, CataloguedHandler};
#[cfg(feature = "schemars")]
#[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
pub use crate::payload_type::SchemaOf;
use crate::pipeline::{Registered, registry};
pub use crate::{
    classify::{ErrorCode, ErrorCodes},
    payload_type::PayloadType,
};

/// The annotated handlers of this program, whether they are called or not.
///
/// Each handler registers itself at link time. Handlers with `catalogue = off` are not listed. Without the features `macros` and `catalogue`
/// the catalogue is empty. Neither hides a handler from relays and from the start check.
///
/// The crate `graceful-contract` renders the catalogue as documents, and compares it with what it was.
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
        Self::of(registry::handlers().filter(|_| cfg!(feature = "catalogue")))
    }

    fn of<'a>(registered: impl Iterator<Item = &'a Registered>) -> Self {
        let mut handlers: Vec<_> =
            registered.filter(|handler| !handler.is_hidden).map(CataloguedHandler::of).collect();
        handlers.sort_unstable_by(|a, b| {
            (&a.identity, a.file, a.line, a.name).cmp(&(&b.identity, b.file, b.line, b.name))
        });
        Self { handlers }
    }

    /// A catalogue of some of these handlers, e.g. those of one module.
    ///
    /// ```
    /// # use graceful::catalogue::Catalogue;
    /// let users = Catalogue::of_program().filtered(|handler| handler.identity.starts_with("shop::users::"));
    /// assert_eq!(users, Catalogue::default());
    /// ```
    #[must_use]
    pub fn filtered(mut self, is_listed: impl FnMut(&CataloguedHandler) -> bool) -> Self {
        self.handlers.retain(is_listed);
        self
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
