//! The check of a program against its lock, and how a change is accepted.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use graceful::catalogue::Catalogue;

use crate::{
    compare::{Unfit, compare, is_part, mistakes, nearest, unfit},
    facts::{self, Facts},
    lock::{Lock, of_program, written},
    report::{Difference, Report, command},
};

/// The usual name of a lock.
///
/// ```
/// assert_eq!(graceful_contract::LOCK, "graceful.lock");
/// ```
pub const LOCK: &str = "graceful.lock";

/// Why a program cannot be compared with a lock, or the lock cannot be written.
///
/// ```
/// use graceful::catalogue::Catalogue;
/// use graceful_contract::{LockError, check};
///
/// let error = check(&Catalogue::default(), "no/such/file".as_ref()).unwrap_err();
/// assert!(matches!(error, LockError::Missing(_)));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum LockError {
    /// There is no lock, so nothing can be compared.
    Missing(PathBuf),
    /// The lock cannot be read or written.
    File(PathBuf, io::Error),
    /// The lock is that of another program: a package of it is not linked, or has other features. Each text says what to do.
    Unfit(Vec<String>),
    /// The program itself has mistakes, such as two handlers of one identity or a misspelt `was`. Each text says what to do.
    Program(Vec<String>),
    /// Incompatible changes are accepted one by one.
    Incompatible(Report),
    /// Nothing of the given name has changed. The text is the name, and what was probably meant.
    NoSuchFact(String),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(
                f,
                "{} does not exist, so changes cannot be found: write it by `{}`, and commit it",
                path.display(),
                command(None, path)
            ),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Unfit(texts) | Self::Program(texts) => f.write_str(&texts.join("\n")),
            Self::Incompatible(report) => {
                let lines: Vec<_> = report.incompatible().map(ToString::to_string).collect();
                write!(
                    f,
                    "incompatible changes are accepted one by one, and mistakes are not accepted:\n{}",
                    lines.join("\n")
                )
            }
            Self::NoSuchFact(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for LockError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File(_, error) => Some(error),
            _ => None,
        }
    }
}

/// The text of the lock of a program: one fact a line, sorted, without line numbers of the source.
///
/// ```
/// use graceful::catalogue::Catalogue;
/// assert!(graceful_contract::lock(&Catalogue::default()).starts_with("# The contract of this program"));
/// ```
pub fn lock(catalogue: &Catalogue) -> String {
    of_program(&Facts::of(catalogue))
}

/// Compares the program with its lock. It writes nothing.
///
/// # Errors
/// Fails if there is no lock, if it cannot be read, if it is that of another program or of other features, or if the program has two handlers
/// of one identity.
///
/// ```
/// use graceful::catalogue::Catalogue;
/// use graceful_contract::{accept, check};
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = &directory.path().join("graceful.lock");
/// let catalogue = Catalogue::of_program();
/// check(&catalogue, path).unwrap_err();
/// accept(&catalogue, path, None).unwrap();
/// assert!(check(&catalogue, path).unwrap().is_clean());
/// ```
pub fn check(catalogue: &Catalogue, path: &Path) -> Result<Report, LockError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(LockError::Missing(path.to_owned()));
        }
        Err(error) => return Err(LockError::File(path.to_owned(), error)),
    };
    compared(&program(catalogue)?, &Lock::parse(&text), path)
}

/// Writes the lock. Without a fact, all that is compatible is locked; with one, that fact is, and everything below it.
///
/// # Errors
/// Fails as [`check`] does, except that without a fact a missing lock is written; if there are incompatible changes and no fact is given; and if
/// nothing of that name has changed.
///
/// ```
/// use graceful::catalogue::Catalogue;
/// use graceful_contract::accept;
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = &directory.path().join("graceful.lock");
/// let catalogue = Catalogue::of_program();
/// accept(&catalogue, path, None).unwrap();
/// accept(&catalogue, path, Some("event user_updated data.email")).unwrap_err();
/// ```
pub fn accept(catalogue: &Catalogue, path: &Path, fact: Option<&str>) -> Result<(), LockError> {
    let program = program(catalogue)?;
    let text = match (fs::read_to_string(path), fact) {
        (Ok(text), _) => text,
        (Err(error), None) if error.kind() == io::ErrorKind::NotFound => {
            not_mistaken(None, &program, "handler")?;
            return write(path, &of_program(&program));
        }
        (Err(error), _) if error.kind() == io::ErrorKind::NotFound => {
            return Err(LockError::Missing(path.to_owned()));
        }
        (Err(error), _) => return Err(LockError::File(path.to_owned(), error)),
    };
    let lock = Lock::parse(&text);
    let Some(fact) = fact else {
        let report = compared(&program, &lock, path)?;
        return match report.incompatible().count() {
            0 => write(path, &of_program(&program)),
            _ => Err(LockError::Incompatible(report)),
        };
    };
    not_mistaken(Some(&lock), &program, fact)?;
    let before: BTreeMap<_, _> = lock.facts.into_iter().map(|(name, locked)| (name, locked.says)).collect();
    let mut facts = before.clone();
    facts.retain(|name, _| !is_part(name, fact));
    facts.extend(
        program
            .all
            .iter()
            .filter(|(name, _)| is_part(name, fact))
            .map(|(name, says)| (name.clone(), says.clone())),
    );
    if facts == before {
        return Err(LockError::NoSuchFact(not_changed(fact, &before, &program.all)));
    }
    write(path, &written(&facts))
}

/// A mistake is corrected, and never accepted: afterwards the lock would know it.
fn not_mistaken(lock: Option<&Lock>, program: &Facts, fact: &str) -> Result<(), LockError> {
    let mistakes = mistakes(lock, program).into_iter().filter(|(name, _)| is_part(name, fact));
    let texts: Vec<_> = mistakes
        .map(|(name, why)| match program.place(&name) {
            Some(place) => format!("{}:{}: `{name}`: {why}", place.file, place.line),
            None => format!("`{name}`: {why}"),
        })
        .collect();
    if texts.is_empty() { Ok(()) } else { Err(LockError::Program(texts)) }
}

/// Why a fact cannot be accepted of which neither the lock nor the program says anything new.
fn not_changed(fact: &str, lock: &BTreeMap<String, String>, program: &BTreeMap<String, String>) -> String {
    let names = || lock.keys().chain(program.keys()).map(String::as_str);
    if names().any(|name| is_part(name, fact)) {
        return format!("`{fact}` has not changed: the lock says of it what the program does");
    }
    // What has changed is meant rather than what has not.
    let changed = names().filter(|name| lock.get(*name) != program.get(*name));
    match nearest(fact, changed).or_else(|| nearest(fact, names())) {
        Some(near) => format!("there is no fact `{fact}`: did you mean `{near}`?"),
        None => format!(
            "there is no fact `{fact}`: give the name as `check` prints it, such as `event user_updated data.email`"
        ),
    }
}

fn program(catalogue: &Catalogue) -> Result<Facts, LockError> {
    let facts = Facts::of(catalogue);
    match facts.faults.is_empty() {
        true => Ok(facts),
        false => Err(LockError::Program(
            facts.faults.iter().map(|(place, why)| format!("{}:{}: {why}", place.file, place.line)).collect(),
        )),
    }
}

fn compared(program: &Facts, lock: &Lock, path: &Path) -> Result<Report, LockError> {
    let unfit = unfit(lock, program);
    if !unfit.is_empty() {
        return Err(LockError::Unfit(unfit.into_iter().map(|unfit| why(unfit, path)).collect()));
    }
    let found = compare(lock, program).into_iter();
    Ok(Report(found.map(|found| Difference { found, lock: path.to_owned() }).collect()))
}

fn why(unfit: Unfit, path: &Path) -> String {
    let accept = |package: &str| command(Some(&facts::package(package)), path);
    match unfit {
        Unfit::NotLinked { package, line } => format!(
            "{}:{line}: no handler of the package `{package}` is linked: write `use {} as _;` in this program; if the package has no \
             handlers any more: `{}`",
            path.display(),
            package.replace('-', "_"),
            accept(&package)
        ),
        Unfit::Features { package, line, lacks, besides, undeclared } => {
            let list = |names: &[String]| format!("`{}`", names.join("`, `"));
            let mut differs = Vec::new();
            if !lacks.is_empty() {
                let arguments: Vec<_> = lacks.iter().map(|name| format!("{package}/{name}")).collect();
                differs.push(format!(
                    "it lacks {}, so build it with `--features {}`",
                    list(&lacks),
                    arguments.join(",")
                ));
            }
            if !besides.is_empty() {
                differs.push(format!("it has {} besides, so build it without", list(&besides)));
            }
            if !undeclared.is_empty() {
                differs.push(format!("the package does not declare {} any more", list(&undeclared)));
            }
            format!(
                "{}:{line}: this program has other features of `{package}` than its lock, so the two are not compared: {}; if the features \
                 have changed for good: `{}`",
                path.display(),
                differs.join("; "),
                accept(&package)
            )
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), LockError> {
    fs::write(path, text).map_err(|error| LockError::File(path.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Why a lock with these features of a package is not compared with a program that has others.
    fn refusal(locked: &str, now: &str) -> Option<String> {
        let mut program = Facts::default();
        program.all.insert("package users".to_owned(), now.to_owned());
        let lock = Lock::parse(&format!("package users: {locked}\n"));
        compared(&program, &lock, Path::new(LOCK)).err().map(|error| error.to_string())
    }

    #[test]
    fn other_features_are_refused_with_what_to_enable_and_to_disable() {
        assert_eq!(
            refusal("+audit +mail -trace", "-audit -mail +trace").unwrap(),
            "graceful.lock:1: this program has other features of `users` than its lock, so the two are not compared: it lacks `audit`, `mail`, \
             so build it with `--features users/audit,users/mail`; it has `trace` besides, so build it without; if the features have changed \
             for good: `graceful-cli accept 'package users'`"
        );
        let gone = refusal("+audit", "").unwrap();
        assert!(
            gone.contains("the package does not declare `audit` any more") && !gone.contains("--features"),
            "{gone}"
        );
        assert!(refusal("", "+audit").unwrap().contains("it has `audit` besides"));
    }

    #[test]
    fn disabled_features_do_not_prevent_the_comparison() {
        assert_eq!(refusal("+audit", "+audit -mail"), None);
        assert_eq!(refusal("+audit -mail", "+audit"), None);
    }

    #[test]
    fn command_is_quoted_for_a_shell() {
        let command = |fact, lock: &str| command(Some(fact), Path::new(lock));
        assert_eq!(command("key user it's", LOCK), r"graceful-cli accept 'key user it'\''s'");
        assert_eq!(
            command("event paid", "my locks/a.lock"),
            "graceful-cli accept 'event paid' --lock 'my locks/a.lock'"
        );
    }
}
