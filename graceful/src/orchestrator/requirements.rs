//! What handlers require of an orchestrator: `install` checks the whole program, `build` the named handlers; the others are checked
//! at the call.

use std::fmt;

use super::{cached_reads, cached_types::conflicts};
use crate::{
    backends::Backends,
    pipeline::{
        Registered,
        registered::Idempotent,
        registry::{NO_IDEMPOTENT_STORE, handlers, no_backend, no_store},
    },
    steps::served,
    text::Text,
};

/// A requirement of a handler that an orchestrator does not meet, or a conflict between two handlers.
///
/// Its `Display` names the handler with file and line, and the missing backend or the other handler.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnmetRequirement {
    file: &'static str,
    line: u32,
    handler: &'static str,
    why: String,
}

impl UnmetRequirement {
    pub(super) fn new(handler: &Registered, why: String) -> Self {
        Self { handler: handler.handler, file: handler.file(), line: handler.line(), why }
    }

    /// The handler's name.
    ///
    /// ```standalone_crate
    /// use graceful::{Orchestrator, StepError, orchestrate, error::InstallError};
    ///
    /// #[orchestrate(pattern = "user", id = id, audit(required))]
    /// async fn delete_user(id: u64) -> Result<(), StepError> { Ok(()) }
    ///
    /// let error = Orchestrator::builder().build().unwrap().install().unwrap_err();
    /// let InstallError::Unmet(unmet) = error else { panic!("{error}") };
    /// assert_eq!((unmet[0].handler(), unmet[0].file()), ("delete_user", file!()));
    /// assert!(unmet[0].line() < line!());
    /// ```
    pub const fn handler(&self) -> &'static str {
        self.handler
    }

    /// The file of the handler, as in [`file!`].
    ///
    /// ```
    /// # fn print(unmet: &graceful::error::UnmetRequirement) {
    /// println!("{}:{}", unmet.file(), unmet.line());
    /// # }
    /// ```
    pub const fn file(&self) -> &'static str {
        self.file
    }

    /// The line of the handler's attribute.
    ///
    /// ```
    /// # fn print(unmet: &graceful::error::UnmetRequirement) {
    /// println!("{}:{}", unmet.file(), unmet.line());
    /// # }
    /// ```
    pub const fn line(&self) -> u32 {
        self.line
    }
}

impl fmt::Display for UnmetRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({}:{}) {}", self.handler, self.file, self.line, self.why)
    }
}

/// The error of `build()`: a [checked](crate::OrchestratorBuilder::handlers) handler requires a missing backend, there is no runtime, or
/// a name is invalid.
///
/// ```standalone_crate
/// use graceful::{Orchestrator, StepError, orchestrate};
///
/// #[orchestrate(pattern = "user", id = id, audit(required))]
/// async fn delete_user(id: u64) -> Result<(), StepError> { Ok(()) }
///
/// let error = Orchestrator::builder().handlers(module_path!()).build().unwrap_err().to_string();
/// assert!(error.contains("requires step `audit`, but no audit backend is configured"));
/// assert!(Orchestrator::builder().handlers(module_path!()).in_memory().build().is_ok());
/// ```
#[derive(PartialEq, Eq)]
pub struct BuildError(Vec<String>);

impl BuildError {
    pub(super) fn check(faults: Vec<String>) -> Result<(), Self> {
        if faults.is_empty() { Ok(()) } else { Err(Self(faults)) }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

// `main` prints the `Debug` of an error, so it is the same text.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BuildError {}

/// The error of `install()`.
///
/// ```standalone_crate
/// use graceful::{Orchestrator, error::InstallError};
///
/// Orchestrator::in_memory().install().unwrap();
/// let error = Orchestrator::in_memory().install().unwrap_err();
/// assert_eq!(error, InstallError::AlreadyInstalled);
/// assert_eq!(error.to_string(), "an orchestrator is already installed in this process");
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstallError {
    /// An orchestrator is already installed, and stays.
    AlreadyInstalled,
    /// Handlers of the program have unmet requirements; they are sorted by file and line.
    Unmet(Vec<UnmetRequirement>),
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyInstalled => f.write_str("an orchestrator is already installed in this process"),
            Self::Unmet(unmet) => {
                let lines: Vec<_> = unmet.iter().map(ToString::to_string).collect();
                f.write_str(&lines.join("\n"))
            }
        }
    }
}

// `main` prints the `Debug` of an error, so it is the same text.
impl fmt::Debug for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for InstallError {}

/// Checks every handler of the program.
pub(super) fn of_program(backends: &Backends) -> Vec<UnmetRequirement> {
    unmet(backends, |_| true)
}

/// The same of the handlers at these paths.
pub(super) fn of_handlers(paths: &[Text], backends: &Backends) -> Vec<UnmetRequirement> {
    unmet(backends, |handler| paths.iter().any(|path| handler.is_in(path)))
}

/// What may be a mistake of a handler of the program.
pub(super) fn doubts(is_held: impl Fn(&str) -> bool) -> Vec<String> {
    cached_reads::misspelt(&handlers().collect::<Vec<_>>(), is_held)
}

fn unmet(backends: &Backends, is_checked: impl Fn(&Registered) -> bool) -> Vec<UnmetRequirement> {
    let checked: Vec<_> = handlers().filter(|handler| is_checked(handler)).collect();
    let mut unmet = Vec::new();
    for handler in &checked {
        unmet.extend(missing(handler, backends));
        unmet.extend(shared_identity(handler, handlers()));
        unmet.extend(shared_keys(handler, handlers()));
    }
    if let Some(cache) = &backends.cache {
        let all: Vec<_> = handlers().collect();
        unmet.extend(cached_reads::unmet(&checked, &all, &**cache));
        unmet.extend(conflicts(checked));
    }
    // The order of the linker is arbitrary.
    unmet.sort_unstable();
    unmet
}

fn missing(handler: &Registered, backends: &Backends) -> Vec<UnmetRequirement> {
    let durable = (handler.durable.is_some() && backends.flows.is_none())
        .then(|| UnmetRequirement::new(handler, no_store()));
    let idempotent = handler.idempotent.and_then(|idempotent| not_idempotent(idempotent, backends));
    let idempotent = idempotent.map(|why| UnmetRequirement::new(handler, why));
    let served = served(backends);
    let unserved = handler.required.iter().filter(|step| !served.contains(**step));
    durable
        .into_iter()
        .chain(idempotent)
        .chain(unserved.map(|step| UnmetRequirement::new(handler, no_backend(*step))))
        .collect()
}

/// Why the calls of an idempotent handler cannot be stored.
fn not_idempotent(Idempotent { has_tx, .. }: Idempotent, backends: &Backends) -> Option<String> {
    let of_flows = || backends.flows.as_ref().and_then(|flows| flows.idempotency());
    let store = if has_tx { of_flows() } else { backends.idempotency.clone().or_else(of_flows) };
    match store {
        Some(store) => store.unfit().map(|why| format!("is idempotent, but its store is not fit: {why}")),
        None if has_tx => None,
        None => Some(format!("is idempotent, but {NO_IDEMPOTENT_STORE}")),
    }
}

/// Another handler has one of the identities under which its keys are stored: its calls would get the answers of that one.
fn shared_keys(
    handler: &Registered,
    mut all: impl Iterator<Item = &'static Registered>,
) -> Option<UnmetRequirement> {
    let own = handler.idempotent?;
    let identities = |other: &Registered| -> Vec<&'static str> {
        let durable = other.durable.map(|durable| (durable.identity)());
        durable.into_iter().chain(other.idempotent.iter().flat_map(Idempotent::names)).collect()
    };
    let shared = |other: &&Registered| {
        !std::ptr::eq(*other, handler)
            && identities(other).iter().any(|name| own.names().any(|own| own == *name))
    };
    let other = all.find(shared)?;
    Some(UnmetRequirement::new(
        handler,
        format!(
            "is idempotent, and {other} has the same identity, or a former one: each would get the answers of the other; give each a \
             `name = \"…\"` of its own, and to `was` only identities that no handler has"
        ),
    ))
}

/// Another durable handler has its identity or a former one: a relay would run the hooks of one for the other.
fn shared_identity(
    handler: &Registered,
    mut all: impl Iterator<Item = &'static Registered>,
) -> Option<UnmetRequirement> {
    let identity = |handler: &Registered| Some((handler.durable?.identity)());
    let names = |handler: &Registered| -> Vec<&'static str> {
        let was = handler.durable.iter().flat_map(|durable| durable.was);
        identity(handler).into_iter().chain(was.copied()).collect()
    };
    let own = identity(handler)?;
    let own_names = names(handler);
    let shared = |other: &'static Registered| {
        let name = names(other).into_iter().find(|name| own_names.contains(name));
        name.filter(|_| !std::ptr::eq(other, handler)).map(|name| (other, name))
    };
    let (other, name) = all.find_map(shared)?;
    let why = if identity(other) == Some(own) {
        format!(
            "is durable and has the identity `{own}`, as has {other}: a relay could not distinguish them; give each a `name = \"…\"`"
        )
    } else {
        format!(
            "is durable and has or had the identity `{name}`, as has or had {other}: a relay could not tell whose flows are stored for it; \
             name it in the `was` of one of them only, and only if no handler has it now"
        )
    };
    Some(UnmetRequirement::new(handler, why))
}

#[cfg(test)]
mod tests;
