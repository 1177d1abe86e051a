//! Whether a lock and a program can be compared.

use std::collections::BTreeSet;

use crate::{
    facts::{self, Facts},
    lock::Lock,
    shape::named,
};

/// Why a lock cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Nothing of a package of the lock is linked.
    NotLinked { package: String, line: u32 },
    /// The program has other features: those of the lock that it lacks, those that it has besides, and those of the lock that the package
    /// does not declare any more.
    Features { package: String, line: u32, lacks: Vec<String>, besides: Vec<String>, undeclared: Vec<String> },
}

/// Whether the program is that of which the lock is: the same packages with the same features.
pub(crate) fn unfit(lock: &Lock, program: &Facts) -> Vec<Unfit> {
    let packages =
        lock.facts.iter().filter_map(|(name, locked)| Some((name.strip_prefix("package ")?, locked)));
    let unfit = packages.filter_map(|(name, locked)| {
        let (package, line) = (named(name), locked.line);
        let Some(now) = program.all.get(&facts::package(&package)) else {
            return Some(Unfit::NotLinked { package, line });
        };
        let (before, now) = (Features::of(&locked.says), Features::of(now));
        // A feature that is declared and disabled is as one that does not exist.
        let [lost, besides] = [(&before, &now), (&now, &before)].map(|(some, others)| {
            some.enabled.difference(&others.enabled).map(|name| (*name).to_owned()).collect::<Vec<_>>()
        });
        let (lacks, undeclared): (Vec<_>, Vec<_>) =
            lost.into_iter().partition(|name| now.disabled.contains(name.as_str()));
        let are_the_same = lacks.is_empty() && besides.is_empty() && undeclared.is_empty();
        (!are_the_same).then_some(Unfit::Features { package, line, lacks, besides, undeclared })
    });
    unfit.collect()
}

/// The features of a package, by name.
struct Features<'a> {
    enabled: BTreeSet<&'a str>,
    disabled: BTreeSet<&'a str>,
}

impl<'a> Features<'a> {
    /// Parses `+audit -mail`.
    fn of(says: &'a str) -> Self {
        let with = |sign| says.split(' ').filter_map(move |word| word.strip_prefix(sign)).collect();
        Self { enabled: with('+'), disabled: with('-') }
    }
}
