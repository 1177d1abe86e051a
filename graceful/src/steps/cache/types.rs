//! Values of different types under one pattern: who reads the key finds now one, now the other.

use std::{
    any::type_name,
    cell::Cell,
    collections::HashMap,
    ptr,
    sync::{LazyLock, RwLock},
};

use crate::{
    flow::{Declared, Flow},
    locks::unpoisoned,
    text::Text,
};

/// The types of each pattern that were cached in this process, with the first handler of each.
static SEEN: LazyLock<RwLock<HashMap<Text, Types>>> = LazyLock::new(RwLock::default);

/// Each with the first handler that cached it.
type Types = Vec<(&'static str, Text)>;

/// Patterns are texts of the program; where one makes them at run time, this is enough.
const MAX_PATTERNS: usize = 10_000;

/// A handler's declaration and the name of a type, by their addresses.
type Checked = Cell<(usize, usize)>;

thread_local! {
    /// What this thread has checked, the last at each place, so that few calls take the lock.
    static CHECKED: [Checked; 64] = const { [const { Cell::new((0, 0)) }; 64] };
}

/// Whether this thread has checked the type of this handler. Only a static declaration has an address of its own.
fn is_checked(declaration: &Declared, name: &'static str) -> bool {
    let Declared::Static(declaration) = *declaration else { return false };
    let pair = (ptr::from_ref(declaration).addr(), name.as_ptr().addr());
    CHECKED.with(|places| places[(pair.0 ^ pair.1) / 16 % places.len()].replace(pair) == pair)
}

/// Warns, once for each type, where a pattern has values of several.
pub(super) fn check(flow: &Flow) {
    let values = &flow.values;
    let name = if values.cache_value.is_some() { values.cache_value_type } else { values.payload_type };
    if name.is_empty() || is_checked(&flow.declaration, name) {
        return;
    }
    let (name, pattern) = (plain(name), &flow.declaration.pattern);
    let is_known = |types: &Types| types.iter().any(|(known, _)| *known == name);
    if unpoisoned(SEEN.read()).get(pattern).is_some_and(is_known) {
        return;
    }
    let mut seen = unpoisoned(SEEN.write());
    if seen.len() >= MAX_PATTERNS {
        return;
    }
    let types = seen.entry(pattern.clone()).or_default();
    if is_known(types) {
        return;
    }
    if let Some((other, handler)) = types.first() {
        tracing::warn!(
            target: "graceful",
            pattern = %pattern,
            "values of different types are cached under the pattern `{pattern}`: `{other}` by `{handler}`, `{name}` by `{}`; \
             give one of the handlers a pattern of its own, or let it invalidate the key: `cache(key = …, on_ok = \"invalidate\")`",
            flow.handler(),
        );
    }
    types.push((name, flow.declaration.handler.clone()));
}

/// Without what a reader looks through, since JSON does not show it.
pub(crate) fn plain(mut name: &'static str) -> &'static str {
    loop {
        let wrapped = name.strip_prefix("&mut ").or_else(|| name.strip_prefix('&')).or_else(|| {
            let (wrapper, inner) = name.strip_suffix('>')?.split_once('<')?;
            let transparent = [
                "alloc::borrow::Cow",
                "alloc::boxed::Box",
                "alloc::rc::Rc",
                "alloc::sync::Arc",
                "axum::json::Json",
                "core::option::Option",
                "tonic::response::Response",
            ];
            // That of a `Cow`.
            let inner = inner.strip_prefix("'_, ").unwrap_or(inner);
            transparent.contains(&wrapper).then_some(inner)
        });
        match wrapped {
            Some(wrapped) => name = wrapped,
            None if name == "str" => return type_name::<String>(),
            None => return name,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{borrow::Cow, sync::Arc};

    use super::*;

    #[test]
    fn plain_type_is_what_a_reader_finds() {
        for name in [type_name::<u8>(), type_name::<Option<u8>>(), type_name::<&Option<u8>>()] {
            assert_eq!(plain(name), "u8");
        }
        assert_eq!(plain(type_name::<Vec<u8>>()), "alloc::vec::Vec<u8>");
        for name in [
            type_name::<String>(),
            type_name::<&str>(),
            type_name::<Cow<'_, str>>(),
            type_name::<Option<Arc<str>>>(),
            type_name::<&mut String>(),
        ] {
            assert_eq!(plain(name), "alloc::string::String");
        }
    }
}
