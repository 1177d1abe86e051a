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
        ];
        let all = checks.into_iter().flatten().chain(program.unordered(handler));
        all.map(|why| UnmetRequirement::new(handler, why)).collect::<Vec<_>>()
    };
    checked.iter().flat_map(check).collect()
}

/// The patterns that a handler touches, or that its value depends on, that no handler has and nobody reads, but that are nearly named like
/// one that is read: nothing becomes of them. That is no error, since another program may read them.
pub(super) fn misspelt(all: &[&Registered], is_held: impl Fn(&str) -> bool) -> Vec<String> {
    let program = Program::of(all);
    let held = || program.held.intersection(&program.known).copied();
    let misspelt = |handler: &&Registered| {
        let named: Vec<_> = handler.touches.iter().chain(handler.depends_on).copied().collect();
        let unknown = named.into_iter().filter(|name| !program.known.contains(name) && !is_held(name));
        let near = unknown.filter_map(|name| Some((name, near(name, held())?)));
        let line = |(name, near)| {
            format!("{handler} names the pattern `{name}`, which no handler has: did you mean `{near}`?")
        };
        near.map(line).collect::<Vec<_>>()
    };
    all.iter().flat_map(misspelt).collect()
}

/// The handlers of the program by what they do with a pattern, each list in the order of the source.
#[derive(Default)]
struct Program<'a> {
    /// Those with a cache key.
    keyed: BTreeMap<&'static str, Vec<&'a Registered>>,
    /// The patterns that a handler reads or depends on.
    held: BTreeSet<&'static str>,
    /// The patterns that a handler writes or touches.
    written: BTreeSet<&'static str>,
    /// The patterns of all handlers.
    known: BTreeSet<&'static str>,
    /// A handler without a cache key of each pattern.
    keyless: BTreeMap<&'static str, &'a Registered>,
}

impl<'a> Program<'a> {
    fn of(all: &[&'a Registered]) -> Self {
        let mut all = all.to_vec();
        // The order of the linker is arbitrary.
        all.sort_unstable_by_key(|handler| (handler.file(), handler.line(), handler.handler));
        let mut program = Self::default();
        for handler in all {
            program.known.insert(handler.pattern);
            program.written.extend(handler.touches);
            if handler.key_form.is_none() {
                program.keyless.entry(handler.pattern).or_insert(handler);
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
        let near = near(pattern, self.written.iter().copied());
        let meant = near.map_or_else(String::new, |near| format!("did you mean `{near}`? Otherwise "));
        let keyless = self.keyless.get(pattern).map_or_else(String::new, |keyless| {
            format!(" ({keyless} has that pattern, but no cache key, so it writes nothing that is cached)")
        });
        Some(format!(
            "reads what depends on the pattern `{pattern}`, which no handler writes{keyless}: {meant}give a handler that changes it this pattern \
             and a cache key, or let one touch it, `cache(touches(…))`; if nothing in this program changes it: \
             `cache(key = …, read, unwritten)`"
        ))
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
        let first = self.keyed.get(handler.pattern)?.iter().find(|other| other.reads)?;
        if !handler.reads || first.rev == handler.rev {
            return None;
        }
        let with = |rev| if rev == 0 { "without `rev`".to_owned() } else { format!("with `rev = {rev}`") };
        Some(format!(
            "reads the pattern `{}` {}, and {first} {}: all readers of a pattern have one `rev`",
            handler.pattern,
            with(handler.rev),
            with(first.rev)
        ))
    }

    /// A handler that is not async, with a cache behind a connection.
    fn cannot_wait(&self, handler: &Registered, cache: &dyn Cache) -> Option<String> {
        let own = handler.key_form.is_some().then_some(&handler.pattern);
        let pattern = own.into_iter().chain(handler.touches).find(|pattern| self.held.contains(*pattern))?;
        let is_immediate = cache.read_through().is_none_or(ReadThrough::is_immediate);
        (handler.is_sync && !is_immediate).then(|| {
            format!(
                "is not `async`, so it cannot wait for the cache, which is not in this process; the pattern `{pattern}` is read through it: \
                 make the handler `async`"
            )
        })
    }

    /// Options that only a pattern without readers can have, because they order writes in another way.
    fn unordered<'b>(&self, handler: &'b Registered) -> impl Iterator<Item = String> + 'b {
        let options = [(handler.is_versioned, "version = …"), (handler.keeps, "on_err = \"keep\"")];
        let is_held = self.held.contains(handler.pattern);
        options.into_iter().filter(move |(has, _)| is_held && *has).map(|(_, option)| {
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
