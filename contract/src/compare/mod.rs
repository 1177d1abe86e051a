//! The comparison of a lock with the program.

mod mistakes;
mod received;
mod shapes;
mod unfit;

use std::collections::{BTreeMap, BTreeSet};

use self::shapes::{gone, unreadable};
pub(crate) use self::{
    mistakes::{mistakes, nearest},
    unfit::{Unfit, unfit},
};
use crate::{
    facts::{self, Facts, Place},
    lock::Lock,
    shape::{Node, Shape, Type, is_in, named},
};

/// A difference between a lock and the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) kind: Kind,
    /// The name of the fact, by which it is accepted.
    pub(crate) fact: String,
    pub(crate) why: String,
    pub(crate) at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The declaration of a handler is wrong.
    Mistake,
    /// Others that rely on the contract can fail.
    Incompatible,
    /// Nobody fails, but the lock does not say it yet, or still says it.
    NotLocked,
}

/// The handler that states a fact, or the line of the lock that has one which no handler states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Handler(Place),
    Lock(u32),
}

pub(crate) fn compare(lock: &Lock, program: &Facts) -> Vec<Found> {
    let mut compared = Compared { lock, program, found: Vec::new(), renamed: renamed(program) };
    compared.handlers();
    compared.former_identities();
    compared.events();
    compared.keys();
    compared.stored();
    compared.received();
    compared.not_locked();
    compared.found.sort_by(|a, b| (a.kind, &a.fact).cmp(&(b.kind, &b.fact)));
    compared.found
}

/// The names of a lock's facts of a kind, without the word of the kind, and what they say.
fn of_kind<'a>(lock: &'a Lock, kind: &'static str) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
    lock.facts
        .iter()
        .filter_map(move |(name, locked)| Some((name.strip_prefix(kind)?.strip_prefix(' ')?, &*locked.says)))
}

/// The present identity of each former one.
fn renamed(program: &Facts) -> BTreeMap<&str, &str> {
    let handlers = program.handlers.iter();
    handlers
        .flat_map(|(identity, (_, was))| was.iter().map(move |was| (was.as_str(), identity.as_str())))
        .collect()
}

/// What a handler reads now: its shape, the name of its fact, and what the lock calls that.
struct Now {
    shape: Shape,
    was: String,
    of: String,
}

struct Compared<'a> {
    lock: &'a Lock,
    program: &'a Facts,
    found: Vec<Found>,
    renamed: BTreeMap<&'a str, &'a str>,
}

impl<'a> Compared<'a> {
    fn incompatible(&mut self, fact: &str, why: impl Into<String>) {
        self.add(Kind::Incompatible, fact, why.into());
    }

    fn add(&mut self, kind: Kind, fact: &str, why: String) {
        let at = match (self.program.all.contains_key(fact), self.lock.facts.get(fact)) {
            (false, Some(locked)) => At::Lock(locked.line),
            (_, locked) => match (self.program.place(fact), locked) {
                (Some(place), _) => At::Handler(place),
                (None, locked) => At::Lock(locked.map_or(0, |locked| locked.line)),
            },
        };
        self.found.push(Found { kind, fact: fact.to_owned(), why, at });
    }

    fn locked(&self, kind: &'static str) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        of_kind(self.lock, kind)
    }

    /// The identity that the handler of a lock has now.
    fn now(&self, identity: &str) -> String {
        match self.program.handlers.contains_key(identity) {
            true => identity.to_owned(),
            false => self.renamed.get(identity).map_or_else(|| identity.to_owned(), |now| (*now).to_owned()),
        }
    }

    fn handlers(&mut self) {
        for (word, says) in self.locked("handler") {
            let (fact, identity) = (format!("handler {word}"), named(word));
            let promises: Vec<_> = says
                .split(' ')
                .filter(|word| ["durable", "idempotent", "subscribes"].contains(word))
                .collect();
            let now = self.now(&identity);
            let Some(stated) = self.program.all.get(&facts::handler(&now)) else {
                if let Some(promise) = promises.first() {
                    let kind = match *promise {
                        "subscribes" => "subscriber",
                        "durable" => "durable handler",
                        _ => "idempotent handler",
                    };
                    let why = format!(
                        "the {kind} `{identity}` is gone, and what is stored for it finds no other: if it was renamed, add \
                         `was = \"{identity}\"` to the new one"
                    );
                    self.incompatible(&fact, why);
                }
                continue;
            };
            for promise in promises {
                if !stated.split(' ').any(|word| word == promise) {
                    let fact = facts::handler(&now);
                    let what = if promise == "subscribes" { "a subscriber" } else { promise };
                    self.incompatible(
                        &fact,
                        format!("the handler is not {what} any more, and what is stored for it is not used"),
                    );
                }
            }
        }
    }

    /// A former identity must have existed, and must be that of one handler only.
    fn former_identities(&mut self) {
        for (fact, why) in mistakes(Some(self.lock), self.program) {
            self.add(Kind::Mistake, &fact, why);
        }
    }

    fn events(&mut self) {
        for (rest, _) in self.locked("event") {
            let fact = format!("event {rest}");
            let mut words = rest.split(' ');
            let (name, part) = (words.next().unwrap_or_default(), words.next());
            let of = format!("event {name}");
            match part {
                None => {
                    if self.program.all.contains_key(&of) {
                        self.shapes(&of);
                    } else {
                        self.incompatible(
                            &of,
                            "the event is gone: those who subscribe to it get none any more",
                        );
                    }
                }
                Some(part @ ("pattern" | "code")) => {
                    let is_gone = self.program.all.contains_key(&of) && !self.program.all.contains_key(&fact);
                    if is_gone && part == "code" {
                        self.incompatible(&fact, "no own variant of the error declares the code any more");
                    } else if is_gone {
                        self.incompatible(&fact, "the event is not emitted for the pattern any more");
                    }
                }
                Some(_) => {}
            }
        }
    }

    /// What an event carries: every value that is emitted now must be valid for those who know the lock.
    fn shapes(&mut self, of: &str) {
        let (old, new) = (shape(self.lock_facts(), of), shape(&self.program.all, of));
        let mut found = unreadable(&new, &old);
        found.extend(gone(&old, &new));
        for (path, why) in &mut found {
            for subscriber in self.failing(of, path, &new) {
                let place = self.program.place(&format!("receives {subscriber}"));
                let place =
                    place.map(|place| format!(" at {}:{}", place.file, place.line)).unwrap_or_default();
                *why = format!("{why}; the subscriber `{}`{place} cannot read it", named(subscriber));
            }
        }
        self.unreadable(of, found);
    }

    /// What a handler reads back: every value that was stored must be valid now.
    fn stored(&mut self) {
        for (old, new) in self.pairs("stored", facts::stored) {
            let found = unreadable(&old, &new.shape).into_iter();
            let found = found.map(|(path, why)| (path, format!("stored values cannot be read: {why}")));
            self.unreadable(&new.of, found.collect());
        }
    }

    fn keys(&mut self) {
        for (rest, _) in self.locked("key") {
            let fact = format!("key {rest}");
            if !self.program.all.contains_key(&fact) {
                self.incompatible(&fact, "no handler has a cache key of this form any more: what is cached under it is neither found nor invalidated");
            }
        }
    }

    /// All other differences. Of a place and the places in it, only the outer one is listed.
    fn not_locked(&mut self) {
        let names: BTreeSet<&String> = self.lock.facts.keys().chain(self.program.all.keys()).collect();
        for name in names {
            let (locked, stated) = (self.lock.facts.get(name), self.program.all.get(name));
            if locked.map(|locked| &locked.says) == stated
                || self.found.iter().any(|found| is_part(name, &found.fact))
            {
                continue;
            }
            let (why, at) = match (locked, stated, self.program.place(name)) {
                (None, _, Some(place)) => ("is new", At::Handler(place)),
                (Some(_), Some(_), Some(place)) => ("has changed, and nobody fails", At::Handler(place)),
                (locked, ..) => {
                    ("is gone, and nobody fails", At::Lock(locked.map_or(0, |locked| locked.line)))
                }
            };
            self.found.push(Found { kind: Kind::NotLocked, fact: name.clone(), why: why.to_owned(), at });
        }
    }

    fn lock_facts(&self) -> impl IntoIterator<Item = (&'a String, &'a String)> + use<'a> {
        self.lock.facts.iter().map(|(name, locked)| (name, &locked.says))
    }
}

/// Whether `name` is the fact, or a part of it: its first words are those of the fact, and a place in a value may be one in the fact's place.
pub(crate) fn is_part(name: &str, fact: &str) -> bool {
    let mut words = name.split(' ');
    fact.split(' ').enumerate().all(|(index, word)| match (index, words.next()) {
        (2, Some(own)) => own == word || !name.starts_with("key ") && is_in(own, word),
        (_, own) => own == Some(word),
    })
}

/// Whether anything is known of the values of a shape.
fn is_known(shape: &Shape) -> bool {
    let root = shape.0.values().next();
    root.is_some_and(|root| !root.types.iter().any(|of| matches!(of, Type::Opaque | Type::Unchecked)))
}

/// The shape of an event or of a stored value, from its facts.
fn shape<'a>(facts: impl IntoIterator<Item = (&'a String, &'a String)>, of: &str) -> Shape {
    let nodes = facts.into_iter().filter_map(|(name, says)| {
        let path = name.strip_prefix(of)?.strip_prefix(' ')?;
        let is_place = is_in(path, facts::DATA) || is_in(path, facts::VALUE);
        is_place.then(|| (path.to_owned(), Node::parse(says)))
    });
    Shape(nodes.collect())
}
