//! The file `graceful.lock`: one fact a line, sorted.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::facts::Facts;

/// The first lines of every lock.
const HEAD: &str = "\
# The contract of this program: what its events, keys and stored data promise to others. `check` compares the program with it.
# Do not edit: `accept` writes it, and `accept FACT` one fact of it.
";

/// The facts of a lock, with the number of each line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) facts: BTreeMap<String, Locked>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Locked {
    pub(crate) says: String,
    pub(crate) line: u32,
}

impl Lock {
    pub(crate) fn parse(text: &str) -> Self {
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let facts = lines.map(|(number, line)| {
            let (name, says) = line.split_once(": ").unwrap_or((line.trim_end(), ""));
            (name.to_owned(), Locked { says: says.trim_end().to_owned(), line: number })
        });
        Self { facts: facts.collect() }
    }
}

/// The text of a lock.
pub(crate) fn written<'a>(facts: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    let mut text = HEAD.to_owned();
    for (name, says) in facts {
        // To write into a string does not fail.
        let _ = match says.is_empty() {
            true => writeln!(text, "{name}"),
            false => writeln!(text, "{name}: {says}"),
        };
    }
    text
}

/// The lock of a program.
pub(crate) fn of_program(facts: &Facts) -> String {
    written(&facts.all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_is_read_as_it_was_written() {
        let facts: BTreeMap<String, String> = [
            ("event paid".to_owned(), String::new()),
            ("handler shop::pay".to_owned(), "durable was=shop::old".to_owned()),
        ]
        .into();
        let read = Lock::parse(&written(&facts));
        let says: Vec<_> =
            read.facts.iter().map(|(name, locked)| (name.clone(), locked.says.clone())).collect();
        assert_eq!(says, facts.into_iter().collect::<Vec<_>>());
        assert_eq!(read.facts["event paid"].line, 3);
    }
}
