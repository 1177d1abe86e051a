//! Declarations of handlers that are wrong.

use std::collections::{BTreeMap, BTreeSet};

use super::of_kind;
use crate::{
    facts::{self, Facts},
    lock::Lock,
    shape::named,
};

/// The declarations of handlers that are wrong. Without a lock, only those that the program itself shows.
pub(crate) fn mistakes(lock: Option<&Lock>, program: &Facts) -> Vec<(String, String)> {
    let known = lock.map(known_identities);
    let mut claimed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (identity, (_, was)) in &program.handlers {
        for was in was {
            claimed.entry(was).or_default().push(identity);
        }
    }
    let mut found = Vec::new();
    for (identity, (_, was)) in &program.handlers {
        for was in was {
            let why = if let Some((other, _)) = program.handlers.get(was) {
                format!(
                    "`was` names `{was}`, which is the handler at {}:{}: what is stored for that one cannot belong to both; remove it",
                    other.file, other.line
                )
            } else if let Some(other) = claimed[was.as_str()].iter().find(|other| *other != identity) {
                let (other_place, _) = &program.handlers[*other];
                format!(
                    "`was` names `{was}`, as that of `{other}` at {}:{} does: what is stored for it can belong to one handler only; remove it \
                     from the others",
                    other_place.file, other_place.line
                )
            } else if let Some(known) = known.as_ref().filter(|known| !known.contains(was)) {
                let near = nearest(was, known.iter().map(String::as_str));
                let hint =
                    near.map_or_else(|| "correct it".to_owned(), |near| format!("did you mean `{near}`?"));
                format!("`was` names `{was}`, which the lock does not know: {hint}")
            } else {
                continue;
            };
            found.push((facts::handler(identity), why));
        }
    }
    found
}

/// The identities that the handlers of a lock have and had.
fn known_identities(lock: &Lock) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for (word, says) in of_kind(lock, "handler") {
        known.insert(named(word));
        known.extend(says.split(' ').filter_map(|word| word.strip_prefix("was=")).map(named));
    }
    known
}

/// The name that was probably meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.into_iter().map(|known| (strsim::damerau_levenshtein(name, known), known)).min()?;
    (near.0 <= 2.max(name.chars().count() / 4)).then_some(near.1)
}
