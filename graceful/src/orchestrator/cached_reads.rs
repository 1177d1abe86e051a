//! Checks the handlers that read through the cache against those that write, and against the cache.

use std::collections::{BTreeMap, BTreeSet};

use super::{UnmetRequirement, misspelt::near};
use crate::{
    backends::{Cache, ReadThrough},
    pipeline::Registered,
};

/// What is wrong with the checked handlers, seen beside all handlers of the program.
pub(super) fn unmet(
    checked: &[&Registered],
    all: &[&Registered],
    cache: &dyn Cache,
) -> Vec<UnmetRequirement> {
    let program = Program::of(all);
    let check = |handler: &&Registered| {
        let checks = [
            unfit(handler, cache),
            program.unwritten(handler),
            program.other_form(handler),
            program.other_rev(handler),
            program.cannot_wait(handler, cache),
            program.is_not_held(handler),
        ];
        let unmet = checks.into_iter().flatten().map(|why| UnmetRequirement::new(handler, why));
        unmet.collect::<Vec<_>>()
    };
    checked.iter().flat_map(check).collect()
}

/// The handlers of the program by what they do with a pattern, each list in the order of the source.
struct Program<'a> {
    /// Those with a cache key.
    keyed: BTreeMap<&'static str, Vec<&'a Registered>>,
    /// The patterns that a handler reads or depends on.
    held: BTreeSet<&'static str>,
    /// The patterns that a handler writes or touches.
    written: BTreeSet<&'static str>,
}

impl<'a> Program<'a> {
    fn of(all: &[&'a Registered]) -> Self {
        let mut all = all.to_vec();
        // The order of the linker is arbitrary.
        all.sort_unstable_by_key(|handler| (handler.file(), handler.line(), handler.handler));
        let mut program = Self { keyed: BTreeMap::new(), held: BTreeSet::new(), written: BTreeSet::new() };
        for handler in all {
            program.written.extend(handler.touches);
            if handler.key_form.is_none() {
                continue;
            }
            program.keyed.entry(handler.pattern).or_default().push(handler);
            match handler.reads {
                true => program.held.extend(handler.depends_on.iter().copied().chain([handler.pattern])),
                false => drop(program.written.insert(handler.pattern)),
            }
        }
        program
    }

    /// A pattern that nobody writes: what depends on it is never invalidated.
    fn unwritten(&self, handler: &Registered) -> Option<String> {
        // The pattern of a generic handler is unknown, so it may be any.
        if !handler.reads || handler.unwritten || self.written.contains("") {
            return None;
        }
        let own = [handler.pattern];
        let needed = if handler.depends_on.is_empty() { &own } else { handler.depends_on };
        let pattern =
            needed.iter().find(|pattern| !pattern.is_empty() && !self.written.contains(*pattern))?;
        let fix = near(pattern, self.written.iter().copied()).map_or_else(
            || {
                "give a handler that changes it this pattern and a cache key, or let one touch it, `cache(key = …, \
                 touches(…))`; if nothing in this program changes it: `cache(key = …, read, unwritten)`"
                    .to_owned()
            },
            |near| format!("did you mean `{near}`?"),
        );
        Some(format!("reads what depends on the pattern `{pattern}`, which no handler writes: {fix}"))
    }

    /// A key of another form than that of the first handler: it would name another entity.
    fn other_form(&self, handler: &Registered) -> Option<String> {
        let form = handler.key_form.filter(|form| !form.is_empty())?;
        let others = self.keyed.get(handler.pattern).filter(|_| self.held.contains(handler.pattern))?;
        let known = |other: &&&Registered| other.key_form.is_some_and(|form| !form.is_empty());
        let first = others.iter().find(known)?;
        let other = first.key_form.filter(|other| *other != form)?;
        Some(format!(
            "has a cache key of the form `{form}` under the pattern `{}`, which is read through the cache, where {first} has one of the form \
             `{other}`, so that they name different entities: use one form, or another pattern",
            handler.pattern
        ))
    }

    /// Values of another form than those of the first reader.
    fn other_rev(&self, handler: &Registered) -> Option<String> {
        let others = self.keyed.get(handler.pattern).filter(|_| handler.reads)?;
        let first = others.iter().find(|other| other.reads && other.rev != handler.rev)?;
        Some(format!(
            "reads the pattern `{}` with `rev = {}`, and {first} with `rev = {}`: all readers of a pattern have one `rev`",
            handler.pattern, handler.rev, first.rev
        ))
    }

    /// A handler that is not async, with a cache behind a connection.
    fn cannot_wait(&self, handler: &Registered, cache: &dyn Cache) -> Option<String> {
        let is_concerned = handler.key_form.is_some() && self.held.contains(handler.pattern);
        let is_immediate = cache.read_through().is_none_or(ReadThrough::is_immediate);
        (handler.is_sync && is_concerned && !is_immediate).then(|| {
            format!(
                "is not `async`, so it cannot wait for the cache, which is not in this process; the pattern `{}` is read through it: make the \
                 handler `async`",
                handler.pattern
            )
        })
    }

    /// Options that only a pattern without readers can have.
    fn is_not_held(&self, handler: &Registered) -> Option<String> {
        let option = match (handler.is_versioned, handler.keeps) {
            (true, _) => "version = …",
            (_, true) => "on_err = \"keep\"",
            _ => return None,
        };
        self.held.contains(handler.pattern).then(|| {
            format!(
                "has `cache({option})`, but the pattern `{}` is read through the cache, whose writes are ordered by their holds: remove it",
                handler.pattern
            )
        })
    }
}

/// Why the cache cannot be read through.
fn unfit(handler: &Registered, cache: &dyn Cache) -> Option<String> {
    if !handler.reads {
        return None;
    }
    let why = match cache.read_through() {
        None => "it does not support that".into(),
        Some(cache) => cache.unfit()?,
    };
    Some(format!("reads through the cache, which cannot be: {why}"))
}
