//! What a handler contributes to the contract of its program: events, types, codes. It is in a static, so it cannot name generic parameters.

use proc_macro2::TokenStream;
use syn::{Attribute, Type};

use super::{Shape, delivery, manifest, registered::Names};
use crate::{
    parse::{Args, Name},
    words::{Delivery, Step},
};

/// What the contract of the program says of the handler.
pub(crate) struct Contract {
    /// The declared identity; `None` if there is none that a static can name.
    pub(crate) name: Option<Name>,
    pub(crate) was: Vec<Name>,
    /// The event that it reads, if it is a subscriber.
    pub(crate) subscribes: Option<Name>,
    /// The types of a subscriber's parameters, except that of a transaction, each with its `cfg` attributes.
    pub(crate) receives: Vec<(Vec<Attribute>, Type)>,
    pub(crate) package: String,
    /// The features of the package.
    pub(crate) features: Vec<String>,
    /// The delivery, unless it is inline or durable: the latter is registered by itself.
    pub(crate) is_background: bool,
    /// The names of the event on success and on failure; empty where a static cannot name them.
    pub(crate) event: Option<[Option<Name>; 2]>,
    /// What the event carries; `None` without an event.
    pub(crate) emitted: Option<Emitted>,
    /// What the program reads back; `None` if it reads nothing.
    pub(crate) stored: Option<Emitted>,
    /// The return type, or one with the same error type.
    pub(crate) errors: Option<TokenStream>,
}

/// The type of a value, as far as the attribute knows it.
#[derive(Clone)]
pub(crate) enum Emitted {
    /// The `Ok` value of this return type.
    Returned(TokenStream),
    /// Unknown, for this reason.
    Opaque(&'static str),
}

impl Contract {
    pub(super) fn of(args: &Args, event: Option<&(Name, Name)>, names: &Names<'_>, shape: &Shape) -> Self {
        let returned = names.returned(shape);
        let value = returned.clone().map_or_else(Emitted::Opaque, Emitted::Returned);
        let has_event = event.is_some() && args.steps[Step::Event].off.is_none();
        let event_payload = args.event.as_ref().and_then(|event| event.payload.as_ref());
        let emitted = match (event_payload, &args.payload) {
            (Some(_), _) => Emitted::Opaque(
                "`event(payload = …)` is an expression, whose type the attribute does not see",
            ),
            (None, Some(_)) => {
                Emitted::Opaque("`payload` is an expression, whose type the attribute does not see")
            }
            (None, None) => value.clone(),
        };
        let error = || names.error(shape).map(|error| quote::quote!(::core::result::Result<(), #error>));
        Self {
            name: args.name.as_ref().and_then(|name| names.constant(name)),
            was: args.was.iter().flat_map(|was| &was.value).filter_map(|was| names.constant(was)).collect(),
            package: manifest::package(),
            features: manifest::features(),
            subscribes: None,
            receives: Vec::new(),
            is_background: delivery(args) == Delivery::Background,
            event: event
                .filter(|_| has_event)
                .map(|(emitted, failed)| [names.constant(emitted), names.constant(failed)]),
            emitted: has_event.then_some(emitted),
            stored: reads_back(args).then_some(value),
            errors: returned.ok().or_else(error),
        }
    }
}

/// Whether a later call, or a relay, decodes the `Ok` value of this one.
fn reads_back(args: &Args) -> bool {
    let restored =
        delivery(args) == Delivery::Durable && args.steps.iter().any(|(_, step)| step.ok.is_some());
    args.cache.read.is_some() || args.last_good.is_some() || args.idempotent.given.is_some() || restored
}
