//! The calls that name entities before the body: the entry of a reader, and the entities that a value shows or a write touches.

use syn::spanned::Spanned as _;

use super::{
    scope::Phase,
    setters::{Argument, Builder, Kind, Setter},
};
use crate::parse::{Args, Related};

impl Builder<'_> {
    /// The calls by which a reader names its entry; the rules have checked that they are over parameters.
    pub(super) fn names(&mut self, args: &Args) {
        // An expression was checked when it was added; it is evaluated for both.
        let also = |method: &str| method == "when" || method == "actor" && args.cache.per_actor.is_some();
        let entry = &self.setters.entry;
        self.setters.names = entry.iter().filter(|setter| also(setter.method)).cloned().collect();
        let key = args.cache.key.as_ref().and_then(|key| self.setter("key", key, Kind::Name));
        self.setters.names.extend(key.map(|(_, setter)| setter));
        let depends_on = self.entities("depends_on", &args.cache.depends_on);
        self.setters.names.extend(depends_on);
    }

    pub(super) fn related(&mut self, method: &'static str, related: &[Related]) {
        for setter in self.entities(method, related) {
            self.push(Phase::Entry, setter);
        }
    }

    fn entities(&mut self, method: &'static str, related: &[Related]) -> Vec<Setter> {
        let mut setters = Vec::new();
        for related in related {
            let ids = related.ids.iter().filter_map(|id| self.setter(method, id, Kind::Name));
            let ids: Vec<_> = ids.map(|(_, setter)| setter.argument).collect();
            let argument = Argument::Related { pattern: related.pattern.name(), ids };
            setters.push(Setter { method, kept: None, argument, span: related.pattern.span() });
        }
        setters
    }
}
