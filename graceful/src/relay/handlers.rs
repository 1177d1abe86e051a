//! The durable handlers of this program, by identity.

use std::{collections::HashMap, sync::LazyLock};

use crate::{
    StepError,
    engine::{Durable, Overrides},
    submitted,
};

/// What runs the hooks of a stored flow.
///
/// # Errors
/// The handler is not in this program.
pub(super) fn overrides_of(handler: &str) -> Result<Overrides, StepError> {
    static HANDLERS: LazyLock<HashMap<String, &'static Durable>> = LazyLock::new(|| {
        let durable = submitted::requirements().filter_map(|requirement| requirement.durable);
        durable.map(|durable| ((durable.identity)(), durable)).collect()
    });
    match handler {
        "" => Ok(Overrides::None),
        handler => HANDLERS.get(handler).map(|durable| Overrides::Durable(durable)).ok_or_else(|| {
            StepError::new(smol_str::format_smolstr!("the handler `{handler}` is not in this program"))
        }),
    }
}
