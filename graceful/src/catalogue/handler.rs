//! One handler of the catalogue.

use crate::{
    classify::ErrorCodes, flow::Delivery, payload_type::PayloadType, pipeline::Registered, step::Step,
};

/// A handler of the catalogue: what its declaration says, known before it is first called.
///
/// ```standalone_crate
/// use graceful::{Code, Delivery, catalogue::{Catalogue, PayloadType}, orchestrate};
///
/// #[orchestrate(pattern = "user", delivery = "durable", name = "users::greet", event = "greeted")]
/// async fn greet() -> Result<(), Code> { Ok(()) }
///
/// let catalogue = Catalogue::of_program();
/// let greet = &catalogue.handlers()[0];
/// assert!(greet.is_durable && !greet.is_sync && !greet.reads);
/// assert_eq!((greet.identity.as_str(), greet.name), ("users::greet", "greet"));
/// assert_eq!(greet.delivery, Delivery::Durable);
/// let event = greet.event.as_ref().unwrap();
/// assert_eq!((event.name, event.failed), ("greeted", "greeted.failed"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "facts of a declaration that do not depend on each other")]
pub struct CataloguedHandler {
    /// The name by which the handler is known beyond one process: its `name`, otherwise module path, type, trait and function, without
    /// generic arguments.
    pub identity: String,
    /// Its former identities.
    pub was: &'static [&'static str],
    /// The name of the function, as in [`Flow::handler`](crate::Flow::handler) and in the label `handler` of metrics.
    pub name: &'static str,
    /// The path of its module.
    pub module: &'static str,
    /// The pattern; empty if it is known only at a call, e.g. a constant of a type parameter.
    pub pattern: &'static str,
    /// The file of the attribute.
    pub file: &'static str,
    /// The line of the attribute in its file.
    pub line: u32,
    /// The package of the handler; empty if it was not compiled by Cargo.
    pub package: &'static str,
    /// The features of its package except `default`, by name, and whether each is enabled.
    pub features: &'static [(&'static str, bool)],
    /// The delivery.
    pub delivery: Delivery,
    /// Whether its delivery is durable, so that a relay runs its steps.
    pub is_durable: bool,
    /// Whether a call can be repeated with its key, and gets the first answer.
    pub is_idempotent: bool,
    /// The event with which it is called, if it is a subscriber.
    pub subscribes: Option<&'static str>,
    /// The type as which a subscriber decodes the event's `data.result`, if it does.
    pub receives: Option<PayloadType>,
    /// Whether it is not `async`, so that it cannot wait for its steps.
    pub is_sync: bool,
    /// Whether it reads through the cache.
    pub reads: bool,
    /// The form of its cache key, with `{}` in the place of each value; empty if it can have any form, `None` without a key.
    pub key: Option<&'static str>,
    /// The patterns of the entities that its cached value shows.
    pub depends_on: &'static [&'static str],
    /// The patterns of the further entities that it changes.
    pub touches: &'static [&'static str],
    /// The steps that the declaration names, in their order, except those that are off and those whose both arms a hook replaces.
    pub declared: &'static [Step],
    /// The steps that are `required`, and `fallback` if it is `last_good`, with the same exceptions.
    pub required: &'static [Step],
    /// The event that it emits.
    pub event: Option<CataloguedEvent>,
    /// The type of its value, if the program reads it back: from the cache, as the answer of a repeated call, as the last good value, or for
    /// a hook that a relay runs.
    pub stored: Option<PayloadType>,
    /// The codes that its error can have.
    pub codes: ErrorCodes,
}

/// The event of a handler: its names on both arms, and what it carries.
///
/// ```
/// # fn print(event: &graceful::catalogue::CataloguedEvent) {
/// println!("{} and {}", event.name, event.failed);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CataloguedEvent {
    /// The name on success; empty if it is known only at a call.
    pub name: &'static str,
    /// The name on failure; empty if it is known only at a call.
    pub failed: &'static str,
    /// The type of `data.result` on success. On failure it is `null`.
    pub payload: PayloadType,
}

impl CataloguedHandler {
    /// Whether it writes: it has a cache key or `touches`, and does not read through the cache.
    ///
    /// ```
    /// # fn print(handler: &graceful::catalogue::CataloguedHandler) {
    /// println!("{} {}", handler.identity, if handler.writes() { "writes" } else { "does not write" });
    /// # }
    /// ```
    pub fn writes(&self) -> bool {
        !self.reads && (self.key.is_some() || !self.touches.is_empty())
    }

    pub(super) fn of(registered: &Registered) -> Self {
        let contract = registered.contract;
        let delivery = match (registered.durable, contract) {
            (Some(_), _) => Delivery::Durable,
            (None, Some(contract)) if contract.is_background => Delivery::Background,
            (None, _) => Delivery::Inline,
        };
        let event = contract.and_then(|contract| {
            let ((name, failed), payload) = (contract.event?, contract.emits?);
            Some(CataloguedEvent { name, failed, payload: payload() })
        });
        Self {
            identity: registered.identity().into_owned(),
            was: contract.map_or(&[], |contract| contract.was),
            name: registered.handler,
            module: registered.module,
            pattern: registered.pattern,
            file: registered.file(),
            line: registered.line(),
            package: contract.map_or("", |contract| contract.package),
            features: contract.map_or(&[], |contract| contract.features),
            delivery,
            is_durable: registered.durable.is_some(),
            is_idempotent: registered.idempotent.is_some(),
            subscribes: contract.and_then(|contract| contract.subscribes),
            receives: contract
                .and_then(|contract| contract.receives.iter().find_map(|parameter| parameter())),
            is_sync: registered.is_sync,
            reads: registered.reads,
            key: registered.key_form,
            depends_on: registered.depends_on,
            touches: registered.touches,
            declared: registered.declared,
            required: registered.required,
            event,
            stored: contract.and_then(|contract| contract.stores).map(|stored| stored()),
            codes: contract
                .and_then(|contract| contract.errors)
                .map_or_else(ErrorCodes::unknown, |codes| codes()),
        }
    }
}
