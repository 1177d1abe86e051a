//! What handlers require of an orchestrator: checked by `install` for the whole program, by `build` for the handlers that are
//! named, and otherwise at the call.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Mutex, PoisonError},
};

use smol_str::SmolStr;

use super::Orchestrator;
use crate::{
    Flow, Step, StepError,
    backends::Backends,
    registry::{self, Requirement},
    steps::served,
};

/// What a handler requires, and an orchestrator does not have.
///
/// Its `Display` names the handler, its file and line, and what is missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnmetRequirement {
    file: &'static str,
    line: u32,
    handler: &'static str,
    why: String,
}

impl UnmetRequirement {
    /// The handler's name.
    ///
    /// ```standalone_crate
    /// use graceful::{InstallError, Orchestrator, StepError, orchestrate};
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

    /// The file that the handler is in, as [`file!`] gives it.
    ///
    /// ```
    /// # fn print(unmet: &graceful::UnmetRequirement) {
    /// println!("{}:{}", unmet.file(), unmet.line());
    /// # }
    /// ```
    pub const fn file(&self) -> &'static str {
        self.file
    }

    /// The line of the handler's attribute.
    ///
    /// ```
    /// # fn print(unmet: &graceful::UnmetRequirement) {
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

/// Why an orchestrator cannot be built: a handler that was [named](crate::OrchestratorBuilder::handlers) requires what it does
/// not have, or there is no runtime.
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

/// The same text: it is what `main` prints of an error.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BuildError {}

/// Why an orchestrator cannot become the one of the process.
///
/// ```
/// use graceful::{InstallError, Orchestrator};
///
/// Orchestrator::in_memory().install().unwrap();
/// let error = Orchestrator::in_memory().install().unwrap_err();
/// assert_eq!(error, InstallError::AlreadyInstalled);
/// assert_eq!(error.to_string(), "an orchestrator is already installed in this process");
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstallError {
    /// The process has an orchestrator already; it stays.
    AlreadyInstalled,
    /// Handlers of the program require what the orchestrator does not have: all of them, by file and line.
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

/// The same text: it is what `main` prints of an error.
impl fmt::Debug for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for InstallError {}

/// Checks every handler of the program that requires something.
pub(super) fn of_program(backends: &Backends) -> Vec<UnmetRequirement> {
    unmet(backends, |_| true)
}

/// The same of the handlers at these paths.
pub(super) fn of_handlers(paths: &[SmolStr], backends: &Backends) -> Vec<UnmetRequirement> {
    unmet(backends, |requirement| paths.iter().any(|path| requirement.is_in(path)))
}

fn unmet(backends: &Backends, is_checked: impl Fn(&Requirement) -> bool) -> Vec<UnmetRequirement> {
    let checked = registry::requirements().filter(|requirement| is_checked(requirement));
    let unmet = checked.flat_map(|requirement| {
        let twin = shared_identity(requirement, registry::requirements());
        missing(requirement, backends).into_iter().chain(twin)
    });
    let mut unmet: Vec<_> = unmet.collect();
    // The linker's order means nothing to readers.
    unmet.sort_unstable();
    unmet
}

impl UnmetRequirement {
    fn of(requirement: &Requirement, why: String) -> Self {
        let Requirement { handler, file, line, .. } = *requirement;
        Self { file, line, handler, why }
    }
}

fn missing(requirement: &Requirement, backends: &Backends) -> Vec<UnmetRequirement> {
    let durable = (requirement.durable.is_some() && backends.flows.is_none())
        .then(|| UnmetRequirement::of(requirement, no_store().to_owned()));
    let served = served(backends);
    let unserved = requirement.steps.iter().filter(|step| !served.contains(**step));
    durable
        .into_iter()
        .chain(unserved.map(|step| UnmetRequirement::of(requirement, no_backend(*step))))
        .collect()
}

/// Another durable handler has its identity: a relay would run the hooks of one for the other.
fn shared_identity(
    requirement: &Requirement,
    mut all: impl Iterator<Item = &'static Requirement>,
) -> Option<UnmetRequirement> {
    let identity = |requirement: &Requirement| Some((requirement.durable?.identity)());
    let own = identity(requirement)?;
    let other = all.find(|other| !std::ptr::eq(*other, requirement) && identity(other) == Some(own))?;
    Some(UnmetRequirement::of(
        requirement,
        format!(
            "is durable and has the identity `{own}`, as has `{}` ({}:{}): a relay could not tell them apart; give each a \
         `name = \"…\"`",
            other.handler, other.file, other.line
        ),
    ))
}

const fn no_store() -> &'static str {
    "is durable, but no durable store is configured"
}

fn no_backend(step: Step) -> String {
    let backend = if step == Step::Fallback { Step::Cache } else { step };
    format!("requires step `{step}`, but no {backend} backend is configured")
}

/// What was found missing at a call, where nobody had checked: each is logged once.
#[derive(Debug, Default)]
pub(super) struct Missed(Mutex<BTreeSet<(SmolStr, Option<Step>)>>);

impl Missed {
    fn is_new(&self, handler: &str, step: Option<Step>) -> bool {
        let mut missed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        missed.insert((handler.into(), step))
    }
}

impl Orchestrator {
    /// A step that the flow cannot do without has no backend.
    #[cold]
    pub(crate) fn no_backend(&self, step: Step, flow: &Flow) -> StepError {
        self.missed(Some(step), &no_backend(step), flow);
        StepError::new("the step is required, and has no backend")
    }

    /// The flow's delivery is durable, and there is no durable store.
    #[cold]
    pub(crate) fn no_store(&self, flow: &Flow) -> StepError {
        self.missed(None, no_store(), flow);
        StepError::new("there is no durable store")
    }

    fn missed(&self, step: Option<Step>, why: &str, flow: &Flow) {
        if !self.0.missed.is_new(flow.handler(), step) {
            return;
        }
        // A handler's name need not be unique; the flow of the manual path has none.
        let of_name = registry::requirements().filter(|requirement| requirement.handler == flow.handler());
        let places: Vec<_> = of_name.map(|found| format!("{}:{}", found.file, found.line)).collect();
        tracing::error!(
            target: "graceful::requirements",
            handler = flow.handler(),
            pattern = flow.pattern(),
            at = places.join(", "),
            "a handler {why}; this is logged once"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Durable;

    const REQUIREMENT: Requirement = Requirement {
        handler: "update_user",
        module: "shop::users",
        file: "src/users.rs",
        line: 12,
        durable: Some(&Durable { identity: || "update_user", hooks: None }),
        steps: &[Step::Audit, Step::Fallback],
    };

    #[test]
    fn missing_names_each_requirement_with_file_and_line() {
        let missing: Vec<_> =
            missing(&REQUIREMENT, &Backends::default()).iter().map(ToString::to_string).collect();
        assert_eq!(
            missing,
            [
                "`update_user` (src/users.rs:12) is durable, but no durable store is configured",
                "`update_user` (src/users.rs:12) requires step `audit`, but no audit backend is configured",
                "`update_user` (src/users.rs:12) requires step `fallback`, but no cache backend is configured",
            ]
        );
    }

    #[test]
    fn durable_handlers_of_one_identity_name_each_other() {
        const PAY: Durable = Durable { identity: || "shop::_::pay", hooks: None };
        const READ: Durable = Durable { identity: || "shop::read", hooks: None };
        const fn at(line: u32, durable: Option<&'static Durable>) -> Requirement {
            Requirement { handler: "pay", file: "src/shop.rs", line, durable, ..REQUIREMENT }
        }
        static HANDLERS: [Requirement; 5] =
            [at(9, Some(&PAY)), at(3, Some(&PAY)), at(12, Some(&READ)), at(20, None), at(21, None)];
        let shared = HANDLERS.iter().filter_map(|handler| shared_identity(handler, HANDLERS.iter()));
        let shared: Vec<_> = shared.map(|unmet| unmet.to_string()).collect();
        let why = "a relay could not tell them apart; give each a `name = \"…\"`";
        assert_eq!(
            shared,
            [
                format!(
                    "`pay` (src/shop.rs:9) is durable and has the identity `shop::_::pay`, as has `pay` (src/shop.rs:3): {why}"
                ),
                format!(
                    "`pay` (src/shop.rs:3) is durable and has the identity `shop::_::pay`, as has `pay` (src/shop.rs:9): {why}"
                ),
            ]
        );
    }
}
