//! Finds handlers at start that cache values of different types under one pattern and the same form of keys.

use std::collections::BTreeMap;

use super::UnmetRequirement;
use crate::{pipeline::Registered, steps::cache::types::plain};

/// Each handler that caches another type than the first handler with the same form of keys.
pub(super) fn conflicts<'a>(handlers: impl IntoIterator<Item = &'a Registered>) -> Vec<UnmetRequirement> {
    let mut forms: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for handler in handlers {
        let Some(cached) = handler.cached.filter(|_| !handler.pattern.is_empty()) else { continue };
        let value = plain((cached.value)());
        // A value without a payload is not cached, and the type inside a `Value` is unknown.
        if !["", "()", "serde_json::value::Value"].contains(&value) {
            forms.entry((handler.pattern, cached.key)).or_default().push((handler, value));
        }
    }
    forms.into_values().flat_map(of_one_form).collect()
}

fn of_one_form(mut handlers: Vec<(&Registered, &'static str)>) -> Vec<UnmetRequirement> {
    // The order of the linker is arbitrary.
    handlers.sort_unstable_by_key(|(handler, _)| (handler.file(), handler.line(), handler.handler));
    let Some(&(first, value)) = handlers.first() else { return Vec::new() };
    let others = handlers.iter().filter(|(_, other)| *other != value);
    let conflict = |(handler, other): &(&Registered, &str)| {
        UnmetRequirement::new(
            handler,
            format!(
                "caches values of the type `{other}` under the pattern `{}`, where {first} caches values of the type `{value}` under keys of \
             the same form, so that one may be read for the other: give one of them a pattern of its own, or keys of another form, as in \
             `cache = \"list/{{id}}\"`; or let it cache nothing, by `cache(key = …, on_ok = \"invalidate\")` or `cache = off`",
                handler.pattern
            ),
        )
    };
    others.map(conflict).collect()
}

#[cfg(test)]
mod tests {
    use std::any::type_name;

    use super::*;

    fn conflicting(handlers: &[Registered]) -> Vec<&'static str> {
        conflicts(handlers).iter().map(UnmetRequirement::handler).collect()
    }

    /// Each call must be on a separate line, as handlers are.
    #[track_caller]
    const fn handler(name: &'static str, pattern: &'static str) -> Registered {
        Registered::new(name, "shop", pattern)
    }

    #[test]
    fn handlers_of_one_pattern_and_form_with_two_types_conflict() {
        let handlers = [
            handler("read", "user").caches("{}", type_name::<u8>),
            handler("list", "user").caches("{}", type_name::<Vec<u8>>),
            handler("again", "user").caches("{}", type_name::<Option<&u8>>),
        ];
        assert_eq!(conflicting(&handlers), ["list"]);
        let told = conflicts(&handlers)[0].to_string();
        let first = handlers[0].to_string();
        for expected in
            ["`alloc::vec::Vec<u8>`", "`u8`", "`user`", &first, "on_ok = \"invalidate\"", "`cache = off`"]
        {
            assert!(told.contains(expected), "{expected}: {told}");
        }
    }

    #[test]
    fn handlers_of_other_patterns_forms_or_without_a_value_do_not_conflict() {
        let handlers = [
            handler("read", "user").caches("{}", type_name::<u8>),
            handler("order", "order").caches("{}", type_name::<u16>),
            handler("list", "user").caches("list/{}", type_name::<Vec<u8>>),
            handler("delete", "user").caches("{}", type_name::<()>),
            handler("opaque", "user").caches("{}", || ""),
            handler("dynamic", "user").caches("{}", type_name::<serde_json::Value>),
            handler("emits", "user"),
            handler("of_a_parameter", "").caches("{}", type_name::<u32>),
            handler("of_another", "").caches("{}", type_name::<u64>),
        ];
        assert_eq!(conflicting(&handlers), [""; 0]);
    }
}
