//! The settings of a console.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use graceful::{
    Key, Orchestrator, StepError,
    operations::{ENTITY, OPERATIONS},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    access::Gate,
    live::Slots,
    measurements::Measurements,
    page::PageError,
    request::{FormKey, is_path},
};

/// How long a number of a page is waited for. The page is shown without it.
const NUMBER: Duration = Duration::from_secs(2);

/// A web console; see the [crate](crate).
#[derive(Debug)]
pub struct Console {
    pub(crate) shared: Shared,
}

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) orchestrator: Orchestrator,
    pub(crate) gate: Gate,
    /// Where the routes are: empty, or a path without a final slash.
    pub(crate) at: String,
    pub(crate) public_path: Option<String>,
    pub(crate) accent: Option<Accent>,
    pub(crate) is_production: bool,
    pub(crate) measurements: Option<Measurements>,
    pub(crate) key: FormKey,
    pub(crate) slots: Arc<Slots>,
    /// The turn of actions that keep a backend busy for seconds.
    slow: Arc<Semaphore>,
}

/// The colour of the environment's name, so that nobody mistakes one environment for another.
///
/// ```
/// assert_eq!(graceful_console::Accent::Red.to_string(), "red");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Accent {
    /// Red, for production.
    Red,
    /// Orange.
    Orange,
    /// Green.
    Green,
    /// Blue.
    Blue,
    /// Purple.
    Purple,
}

impl Accent {
    /// The name of the colour.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Orange => "orange",
            Self::Green => "green",
            Self::Blue => "blue",
            Self::Purple => "purple",
        }
    }
}

impl fmt::Display for Accent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Console {
    pub(crate) fn of(orchestrator: &Orchestrator, gate: Gate) -> Self {
        let shared = Shared {
            orchestrator: orchestrator.clone(),
            gate,
            at: String::new(),
            public_path: None,
            accent: None,
            is_production: false,
            measurements: None,
            key: FormKey::default(),
            slots: Arc::default(),
            slow: Arc::new(Semaphore::new(1)),
        };
        Self { shared }
    }

    /// Puts the routes below this path, e.g. `/ops`; without it they are at the root.
    ///
    /// # Panics
    /// Panics if it is not an absolute path of letters, digits, `-`, `.`, `_` and `~`.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.shared.at = checked(&path.into());
        self
    }

    /// Declares the path at which browsers see the first page, if a proxy changes the path without saying so in `X-Forwarded-Prefix`. Use `/` for
    /// the root.
    ///
    /// # Panics
    /// Panics as [`at`](Self::at).
    #[must_use]
    pub fn public_path(mut self, path: impl Into<String>) -> Self {
        self.shared.public_path = Some(checked(&path.into()));
        self
    }

    /// Shows the name of the environment in this colour.
    #[must_use]
    pub const fn accent(mut self, accent: Accent) -> Self {
        self.shared.accent = Some(accent);
        self
    }

    /// Declares that this is production: before an operation on flows runs, and before a pause, the console also asks for the name of the
    /// environment, or for `production` if it has none.
    #[must_use]
    pub const fn production(mut self) -> Self {
        self.shared.is_production = true;
        self
    }

    /// Shows these measurements of this process on the pages of the handlers and on the overview.
    ///
    /// ```
    /// use graceful::Orchestrator;
    /// use graceful_console::{Console, access::Access, measurements::Measurements};
    ///
    /// let measurements = Measurements::default();
    /// let observed = measurements.clone();
    /// let builder = Orchestrator::builder().in_memory().on_report(move |report| observed.observe(report));
    /// let orchestrator = builder.build()?;
    /// let console = Console::new(&orchestrator, async |_| Access::read("anybody")).measurements(&measurements);
    /// # drop(console);
    /// # Ok::<(), graceful::error::BuildError>(())
    /// ```
    #[must_use]
    pub fn measurements(mut self, measurements: &Measurements) -> Self {
        self.shared.measurements = Some(measurements.clone());
        self
    }
}

fn checked(path: &str) -> String {
    let path = path.trim_end_matches('/').to_owned();
    assert!(path.is_empty() || is_path(&path), "`{path}` is not a path such as `/ops`");
    path
}

impl Shared {
    /// The turn for an action that keeps a backend busy for seconds, until it is dropped.
    pub(crate) fn slow_turn(&self) -> Result<OwnedSemaphorePermit, PageError> {
        let busy = |_| {
            PageError::unavailable("another query or verification is running: try again when it has ended")
        };
        Arc::clone(&self.slow).try_acquire_owned().map_err(busy)
    }

    /// The full name of the entity to which the audit records of operators belong.
    pub(crate) fn operators(&self) -> String {
        Key::new(self.orchestrator.service(), None, OPERATIONS, ENTITY).to_string()
    }

    /// The name of the environment.
    pub(crate) fn environment(&self) -> &str {
        self.orchestrator.environment()
    }

    /// The word that an operator types in production before an operation or a pause: the name of the environment, if it has one.
    pub(crate) fn asked_environment(&self) -> Option<&str> {
        let name = Some(self.environment().trim()).filter(|name| !name.is_empty());
        self.is_production.then(|| name.unwrap_or("production"))
    }

    /// Checks that word.
    pub(crate) fn check_environment(&self, typed: Option<&str>) -> Result<(), PageError> {
        match self.asked_environment() {
            Some(name) if typed.map(str::trim) != Some(name) => {
                Err(PageError::invalid(format_args!("this is production: type `{name}` to confirm")))
            }
            _ => Ok(()),
        }
    }

    /// A number of a page, or nothing if the backend fails or does not answer in time: the rest of the page is shown all the same.
    pub(crate) async fn number<T>(&self, reply: impl Future<Output = Result<T, StepError>>) -> Option<T> {
        match tokio::time::timeout(NUMBER, reply).await {
            Ok(Ok(number)) => Some(number),
            Ok(Err(error)) => {
                tracing::debug!(target: "graceful::console", error = error.message(), "a number is not shown");
                None
            }
            Err(_) => None,
        }
    }
}
