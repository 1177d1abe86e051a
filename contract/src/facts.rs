//! The facts of a program's contract, each with the handler that states it. A lock has one line for each.

use std::collections::{BTreeMap, BTreeSet};

use graceful::catalogue::{Catalogue, CataloguedHandler};

use crate::{
    schemas::{Direction, Schemas},
    shape::{Shape, word},
};

/// The name of a fact, and what it says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) all: BTreeMap<String, String>,
    /// The handlers that state a fact, by the name of the fact or the beginning of it.
    places: BTreeMap<String, Place>,
    /// The event of each subscriber that decodes it, and the name of the fact of what it receives.
    pub(crate) subscribers: Vec<(String, String)>,
    /// What the program itself has wrong.
    pub(crate) faults: Vec<(Place, String)>,
    /// The handlers of the program, with their former identities.
    pub(crate) handlers: BTreeMap<String, (Place, Vec<String>)>,
}

/// The file and the line of a handler's attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: &'static str,
    pub(crate) line: u32,
}

impl Place {
    fn of(handler: &CataloguedHandler) -> Self {
        Self { file: handler.file, line: handler.line }
    }
}

/// The root of what an event carries.
pub(crate) const DATA: &str = "data";

/// The root of what a handler stores, and of what a subscriber receives.
pub(crate) const VALUE: &str = "value";

pub(crate) fn event(name: &str) -> String {
    format!("event {}", word(name))
}

pub(crate) fn handler(identity: &str) -> String {
    format!("handler {}", word(identity))
}

pub(crate) fn stored(identity: &str) -> String {
    format!("stored {}", word(identity))
}

pub(crate) fn receives(identity: &str) -> String {
    format!("receives {}", word(identity))
}

pub(crate) fn package(name: &str) -> String {
    format!("package {}", word(name))
}

impl Facts {
    pub(crate) fn of(catalogue: &Catalogue) -> Self {
        let mut facts = Self::default();
        for handler in catalogue.handlers() {
            facts.add_handler(handler);
        }
        let mut events: BTreeMap<&str, Vec<&CataloguedHandler>> = BTreeMap::new();
        for handler in catalogue.handlers() {
            let names = handler.event.iter().flat_map(|event| [event.name, event.failed]);
            names
                .filter(|name| !name.is_empty())
                .for_each(|name| events.entry(name).or_default().push(handler));
        }
        for (name, handlers) in events {
            facts.add_event(name, &handlers);
        }
        facts
    }

    /// The handler that states a fact.
    pub(crate) fn place(&self, name: &str) -> Option<Place> {
        let mut rest = name;
        loop {
            if let Some(place) = self.places.get(rest) {
                return Some(*place);
            }
            rest = &rest[..rest.rfind(' ')?];
        }
    }

    fn add(&mut self, place: Place, name: String, says: String) {
        self.places.entry(name.clone()).or_insert(place);
        self.all.insert(name, says);
    }

    fn add_shape(&mut self, place: Place, of: &str, shape: &Shape) {
        for (path, node) in &shape.0 {
            self.add(place, format!("{of} {path}"), node.to_string());
        }
    }

    fn add_handler(&mut self, listed: &CataloguedHandler) {
        let (place, identity) = (Place::of(listed), &listed.identity);
        let was: Vec<_> = listed.was.iter().map(|&was| was.to_owned()).collect();
        if let Some((other, _)) = self.handlers.insert(identity.clone(), (place, was)) {
            self.faults.push((
                place,
                format!(
                    "two handlers have the identity `{identity}`, here and at {}:{}: write `#[orchestrate]` on their `impl` blocks, too, or \
                     give each a `name = \"…\"`",
                    other.file, other.line
                ),
            ));
        }
        if !listed.package.is_empty() {
            let features = listed
                .features
                .iter()
                .map(|(name, is_on)| format!("{}{name}", if *is_on { "+" } else { "-" }));
            self.add(place, package(listed.package), features.collect::<Vec<_>>().join(" "));
        }
        let words = [
            ("durable", listed.is_durable),
            ("idempotent", listed.is_idempotent),
            ("subscribes", listed.subscribes.is_some()),
        ];
        let words = words.into_iter().filter(|(_, applies)| *applies).map(|(word, _)| word.to_owned());
        let was = listed.was.iter().map(|was| format!("was={}", word(was)));
        self.add(place, handler(identity), words.chain(was).collect::<Vec<_>>().join(" "));
        if let (Some(form), false) = (listed.key, listed.pattern.is_empty()) {
            let form = if form.is_empty() { "any".to_owned() } else { key_form(form) };
            self.add(place, format!("key {} {form}", word(listed.pattern)), String::new());
        }
        if let Some(value) = &listed.stored {
            let shape = Schemas::new(Direction::Read).shape(VALUE, [value]);
            self.add_shape(place, &stored(identity), &shape);
        }
        if let (Some(event), Some(value)) = (listed.subscribes, &listed.receives) {
            let of = receives(identity);
            self.add(place, of.clone(), word(event));
            let shape = Schemas::new(Direction::Read).shape(VALUE, [value]);
            self.add_shape(place, &of, &shape);
            self.subscribers.push((event.to_owned(), of));
        }
    }

    fn add_event(&mut self, name: &str, handlers: &[&CataloguedHandler]) {
        let Some(first) = handlers.first() else { return };
        let of = event(name);
        self.add(Place::of(first), of.clone(), String::new());
        let patterns: BTreeSet<_> =
            handlers.iter().map(|handler| (handler.pattern, Place::of(handler))).collect();
        for (pattern, place) in patterns.into_iter().filter(|(pattern, _)| !pattern.is_empty()) {
            self.add(place, format!("{of} pattern {}", word(pattern)), String::new());
        }
        let succeeds =
            |handler: &&&CataloguedHandler| handler.event.as_ref().is_some_and(|event| event.name == name);
        let payloads: Vec<_> = handlers
            .iter()
            .filter(succeeds)
            .filter_map(|handler| Some(&handler.event.as_ref()?.payload))
            .collect();
        if !payloads.is_empty() {
            let shape = Schemas::new(Direction::Emitted).shape(DATA, payloads);
            self.add_shape(Place::of(first), &of, &shape);
        }
        for handler in
            handlers.iter().filter(|handler| handler.event.as_ref().is_some_and(|event| event.failed == name))
        {
            for own in handler.codes.own() {
                self.add(Place::of(handler), format!("{of} code {}", own.code), String::new());
            }
        }
    }
}

/// The form of a key as a word: `{}` stays readable.
fn key_form(form: &str) -> String {
    form.split("{}").map(word).collect::<Vec<_>>().join("{}")
}
