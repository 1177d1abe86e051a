//! The durable handlers of this program, by identity.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use crate::{
    identity::stripped,
    pipeline::{Durable, Overrides, registry},
    step::StepError,
};

/// The identities of all durable handlers, in order.
pub(super) fn identities() -> Vec<String> {
    let durable = registry::handlers().filter_map(|handler| handler.durable);
    let identities: BTreeSet<_> = durable.map(|durable| (durable.identity)()).collect();
    identities.into_iter().map(str::to_owned).collect()
}

/// Finds the hooks of a stored flow: those of the handler with its identity, otherwise those of the handler that had it once.
///
/// # Errors
/// Fails if more than one handler of this program has the identity. `None` if it has none of them.
pub(super) fn overrides_of(handler: &str) -> Result<Option<Overrides>, StepError> {
    static HANDLERS: LazyLock<HashMap<&str, Vec<&Durable>>> =
        LazyLock::new(|| by_name(|durable| vec![(durable.identity)()]));
    static RENAMED: LazyLock<HashMap<&str, Vec<&Durable>>> =
        LazyLock::new(|| by_name(|durable| durable.was.to_vec()));
    if handler.is_empty() {
        return Ok(Some(Overrides::None));
    }
    let find = |handler: &str| HANDLERS.get(handler).or_else(|| RENAMED.get(handler));
    // Older versions stored the generic arguments, too.
    match find(handler).or_else(|| find(&stripped(handler))).map(Vec::as_slice) {
        Some([durable]) => Ok(Some(Overrides::Durable(durable))),
        Some(_) => Err(StepError::new(format_args!(
            "more than one handler of this program has the identity `{handler}`: give each `name = \"…\"`"
        ))),
        None => Ok(None),
    }
}

fn by_name(names: impl Fn(&Durable) -> Vec<&'static str>) -> HashMap<&'static str, Vec<&'static Durable>> {
    let mut handlers: HashMap<_, Vec<_>> = HashMap::new();
    for durable in registry::handlers().filter_map(|handler| handler.durable) {
        for name in names(durable) {
            handlers.entry(name).or_default().push(durable);
        }
    }
    handlers
}
