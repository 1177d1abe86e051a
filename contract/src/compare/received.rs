//! What subscribers receive: whether they can still read it.

use std::collections::BTreeSet;

use super::{Compared, Now, is_known, is_part, shape, shapes::unreadable};
use crate::{
    facts,
    shape::{Shape, is_in, named, parent},
};

impl<'a> Compared<'a> {
    /// What a subscriber reads. If this program emits the event, now or by its lock, those events must be valid; otherwise every event that
    /// the subscriber could read before.
    pub(super) fn received(&mut self) {
        let emitted = |event: &str| {
            let of = facts::event(event);
            let shapes = [shape(&self.program.all, &of), shape(self.lock_facts(), &of)];
            shapes
                .into_iter()
                .filter(is_known)
                .map(|shape| shape.moved(facts::DATA, facts::VALUE))
                .collect::<Vec<_>>()
        };
        let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
        for (event, of) in &self.program.subscribers {
            let (old, new) = (shape(self.lock_facts(), of), shape(&self.program.all, of));
            let events = emitted(event);
            if old == new || events.is_empty() {
                continue;
            }
            let cannot_read = |received: &Shape| -> Vec<_> {
                events.iter().flat_map(|event| unreadable(event, received)).collect()
            };
            let before = if old.0.is_empty() { Vec::new() } else { cannot_read(&old) };
            let own = cannot_read(&new).into_iter().filter(|now| !before.contains(now));
            let why = |why| format!("the event `{event}` of this program cannot be read: {why}");
            // A place that only the event has is accepted with the nearest one around it that has changed.
            found.push((
                of.clone(),
                own.map(|(path, of_event)| (self.changed(of, &path), why(of_event))).collect(),
            ));
        }
        for (old, new) in self.pairs("receives", facts::receives) {
            let event = self.program.all.get(&new.of);
            if event == self.lock.facts.get(&new.was).map(|locked| &locked.says)
                && event.is_some_and(|event| emitted(&named(event)).is_empty())
            {
                let own = unreadable(&old, &new.shape).into_iter();
                let why = |why| format!("events that it could read cannot be read: {why}");
                found.push((new.of, own.map(|(path, of_event)| (path, why(of_event))).collect()));
            }
        }
        for (of, found) in found {
            self.unreadable(&of, found);
        }
    }

    /// The shapes of a kind in the lock, each with that of the same handler now. What is not read any more cannot be unreadable.
    pub(super) fn pairs(&self, kind: &'static str, fact: impl Fn(&str) -> String) -> Vec<(Shape, Now)> {
        let identities: BTreeSet<&str> =
            self.locked(kind).filter_map(|(rest, _)| rest.split(' ').next()).collect();
        let pairs = identities.into_iter().map(|identity| {
            let was = format!("{kind} {identity}");
            let of = fact(&self.now(&named(identity)));
            (shape(self.lock_facts(), &was), Now { shape: shape(&self.program.all, &of), was, of })
        });
        pairs.filter(|(_, now)| !now.shape.0.is_empty()).collect()
    }

    /// The nearest place around a path, or itself, of which lock and program do not say the same.
    fn changed(&self, of: &str, path: &str) -> String {
        let differs = |path: &str| {
            let fact = format!("{of} {path}");
            let names =
                self.lock.facts.keys().chain(self.program.all.keys()).filter(|name| is_part(name, &fact));
            names.into_iter().any(|name| {
                self.lock.facts.get(name).map(|locked| &locked.says) != self.program.all.get(name)
            })
        };
        let mut place = path;
        while !differs(place) {
            match parent(place) {
                Some((around, _)) => place = around,
                None => break,
            }
        }
        place.to_owned()
    }

    /// The subscribers of this program that cannot read what is at a path of an event.
    pub(super) fn failing(&self, of: &str, path: &str, emitted: &Shape) -> Vec<&'a str> {
        let emitted = emitted.moved(facts::DATA, facts::VALUE);
        let own = self.program.subscribers.iter().filter(|(event, _)| facts::event(event) == of);
        let fails = |received: &Shape| {
            let found = unreadable(&emitted, received).into_iter();
            let places = found.map(|(place, _)| place.replacen(facts::VALUE, facts::DATA, 1));
            places.into_iter().any(|place| is_in(&place, path) || is_in(path, &place))
        };
        own.filter(|(_, fact)| {
            Some(shape(&self.program.all, fact))
                .is_some_and(|received| !received.0.is_empty() && fails(&received))
        })
        .filter_map(|(_, fact)| fact.strip_prefix("receives "))
        .collect()
    }

    pub(super) fn unreadable(&mut self, of: &str, mut found: Vec<(String, String)>) {
        found.sort();
        found.dedup_by(|next, first| is_in(&next.0, &first.0));
        for (path, why) in found {
            self.incompatible(&format!("{of} {path}"), why);
        }
    }
}
