//! What a check has found.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::{
    check::LOCK,
    compare::{At, Found, Kind},
};

/// A difference between a lock and the program.
///
/// Its `Display` is one line: the place, the fact, what is wrong, and the command that accepts it.
///
/// ```
/// # fn print(difference: &graceful_contract::Difference) {
/// println!("{}: {difference}", if difference.is_incompatible() { "error" } else { "not locked" });
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub(crate) found: Found,
    pub(crate) lock: PathBuf,
}

impl Difference {
    /// Whether others that rely on the contract can fail: subscribers that know the old events, or data that is stored already. So can a
    /// handler whose `was` is wrong.
    ///
    /// ```
    /// # fn print(difference: &graceful_contract::Difference) {
    /// println!("{}", difference.is_incompatible());
    /// # }
    /// ```
    pub fn is_incompatible(&self) -> bool {
        self.found.kind != Kind::NotLocked
    }

    /// The name of the fact, by which [`accept`](crate::accept) takes it: `event user_updated data.email`.
    ///
    /// ```
    /// # fn print(difference: &graceful_contract::Difference) {
    /// println!("accept '{}'", difference.fact());
    /// # }
    /// ```
    pub fn fact(&self) -> &str {
        &self.found.fact
    }

    /// The file and the line: those of the handler, or those of the lock for what no handler states any more.
    ///
    /// ```
    /// # fn print(difference: &graceful_contract::Difference) {
    /// let (file, line) = difference.place();
    /// println!("{}:{line}", file.display());
    /// # }
    /// ```
    pub fn place(&self) -> (&Path, u32) {
        match &self.found.at {
            At::Handler(place) => (Path::new(place.file), place.line),
            At::Lock(line) => (&self.lock, *line),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((file, line), fact) = (self.place(), self.fact());
        write!(f, "{}:{line}: `{fact}`: {}", file.display(), self.found.why)?;
        match self.found.kind {
            Kind::Mistake => Ok(()),
            Kind::Incompatible => write!(f, "; to accept it: `{}`", command(Some(fact), &self.lock)),
            Kind::NotLocked => write!(f, "; to lock it: `{}`", command(None, &self.lock)),
        }
    }
}

/// The command that accepts a fact, or all that is compatible, for a shell.
pub(crate) fn command(fact: Option<&str>, lock: &Path) -> String {
    let mut command = "graceful-cli accept".to_owned();
    if let Some(fact) = fact {
        command = format!("{command} {}", quoted(fact));
    }
    match lock == Path::new(LOCK) {
        true => command,
        false => format!("{command} --lock {}", quoted(&lock.display().to_string())),
    }
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// What a check has found.
///
/// Its `Display` has one line for each difference, incompatible ones first.
///
/// ```
/// # use graceful_contract::Report;
/// assert!(Report::default().is_clean());
/// assert_eq!(Report::default().to_string(), "");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report(pub(crate) Vec<Difference>);

impl Report {
    /// All differences, incompatible ones first.
    ///
    /// ```
    /// assert_eq!(graceful_contract::Report::default().differences(), []);
    /// ```
    pub fn differences(&self) -> &[Difference] {
        &self.0
    }

    /// The incompatible ones.
    ///
    /// ```
    /// assert_eq!(graceful_contract::Report::default().incompatible().count(), 0);
    /// ```
    pub fn incompatible(&self) -> impl Iterator<Item = &Difference> {
        self.0.iter().filter(|difference| difference.is_incompatible())
    }

    /// Whether the lock says exactly what the program does.
    ///
    /// ```
    /// assert!(graceful_contract::Report::default().is_clean());
    /// ```
    pub fn is_clean(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}
