//! Backends by configuration: a URL per variable.

use std::{borrow::Cow, collections::BTreeMap, env, fmt};

use super::{Backend, BuildError, BuilderChange, Orchestrator, OrchestratorBuilder, misspelt};
use crate::{
    backends::{BoxFuture, client::ConnectError},
    escape::escaped,
};

/// The variables that name a server, in the order in which their backends are connected: a receiver of alerts reads the alerts of the
/// store.
const SERVERS: [&str; 6] = [
    "GRACEFUL_CACHE",
    "GRACEFUL_EVENTS",
    "GRACEFUL_STORE",
    "GRACEFUL_IDEMPOTENCY",
    "GRACEFUL_GRAPH",
    "GRACEFUL_ALERTS",
];

/// Which crate to add for a URL that no linked backend serves.
const CRATES: [(&str, &[&str], &str); 11] = [
    ("GRACEFUL_CACHE", &["redis", "redis+unix", "rediss"], "graceful_redis::BACKEND"),
    ("GRACEFUL_EVENTS", &["nats", "tls"], "graceful_nats::BACKEND"),
    ("GRACEFUL_EVENTS", &["amqp", "amqps"], "graceful_rabbitmq::BACKEND"),
    ("GRACEFUL_EVENTS", &["postgres", "postgresql"], "graceful_postgres::EVENTS"),
    ("GRACEFUL_EVENTS", &["sqlite"], "graceful_sqlite::EVENTS"),
    ("GRACEFUL_STORE", &["sqlite"], "graceful_sqlite::BACKEND"),
    ("GRACEFUL_STORE", &["postgres", "postgresql"], "graceful_postgres::BACKEND"),
    ("GRACEFUL_IDEMPOTENCY", &["redis", "redis+unix", "rediss"], "graceful_redis::IDEMPOTENCY"),
    ("GRACEFUL_GRAPH", &["http", "https"], "graceful_rdf::SPARQL"),
    ("GRACEFUL_ALERTS", &["http", "https"], "graceful_alerts::ALERTMANAGER"),
    ("GRACEFUL_ALERTS", &["webhook+http", "webhook+https"], "graceful_alerts::WEBHOOK"),
];

const SERVICE: &str = "GRACEFUL_SERVICE";
const ENVIRONMENT: &str = "GRACEFUL_ENVIRONMENT";

/// The mistakes of a configuration, each with the name of its variable.
///
/// Neither its text nor its `Debug` output contains any part of a URL, except the host and the port of a server if they can be identified
/// with certainty.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let settings = [("GRACEFUL_CACHE", "http://:secret@127.0.0.1"), ("GRACEFUL_EVENTS", "127.0.0.1")];
/// let error = graceful::Orchestrator::builder().settings(&[], settings).await.unwrap_err();
/// assert_eq!(error.variables().collect::<Vec<_>>(), ["GRACEFUL_CACHE", "GRACEFUL_EVENTS"]);
/// assert!(!error.to_string().contains("secret"));
/// # });
/// ```
#[derive(PartialEq, Eq)]
pub struct ConfigError(Vec<(Option<Cow<'static, str>>, String)>);

impl ConfigError {
    /// The variables that are wrong. Missing ones that only [`build`](OrchestratorBuilder::build) can detect are not included.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let builder = graceful::Orchestrator::builder();
    /// let error = builder.settings(&[], [("GRACEFUL_CACHE", "no URL")]).await.unwrap_err();
    /// assert_eq!(error.variables().next(), Some("GRACEFUL_CACHE"));
    /// # });
    /// ```
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|(variable, _)| variable.as_deref())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (variable, why)) in self.0.iter().enumerate() {
            let line = if index == 0 { "" } else { "\n" };
            match variable {
                Some(variable) => write!(f, "{line}{}: {why}", escaped(variable))?,
                None => write!(f, "{line}{why}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConfigError {}

impl From<BuildError> for ConfigError {
    fn from(error: BuildError) -> Self {
        Self(vec![(None, error.to_string())])
    }
}

impl Orchestrator {
    /// An orchestrator whose backends are chosen by the environment, from those that are passed. A step that the environment does not
    /// mention has the backend of [`in_memory`](OrchestratorBuilder::in_memory).
    ///
    /// | variable | value |
    /// |---|---|
    /// | `GRACEFUL_SERVICE` | the service's name |
    /// | `GRACEFUL_ENVIRONMENT` | the environment, such as `prod` |
    /// | `GRACEFUL_CACHE` | `redis://[[user]:password@]host[:port][/database]` (`graceful_redis::BACKEND`), `rediss://…` (its feature `tls`) |
    /// | `GRACEFUL_EVENTS` | `nats://[user:password@]host[:port][,host…][?stream=name]`, `tls://…` (`graceful_nats::BACKEND`); `amqp://[user:password@]host[:port][,host…][/vhost][?exchange=name]`, `amqps://…` (`graceful_rabbitmq::BACKEND`); `postgres://…` (`graceful_postgres::EVENTS`) and `sqlite://…` (`graceful_sqlite::EVENTS`) for the event log of another store than `GRACEFUL_STORE`; without it, events are appended to the log of `GRACEFUL_STORE`, if it has one |
    /// | `GRACEFUL_STORE` | `postgres://[user:password@]host[:port]/database[?max_connections=n]` (`graceful_postgres::BACKEND`), whose tables are created if they are missing and the role may; `sqlite://path/to/file.db[?mode=rwc]` (`graceful_sqlite::BACKEND`) |
    /// | `GRACEFUL_IDEMPOTENCY` | `redis://…[?allow_loss=true]` (`graceful_redis::IDEMPOTENCY`); without it, idempotent calls are stored in the database of the durable flows, if there is one |
    /// | `GRACEFUL_GRAPH` | `http[s]://[user:password@]host[:port]/path[#/path]` of a SPARQL 1.1 server, where updates go to the path after the `#` (`graceful_rdf::SPARQL`) |
    /// | `GRACEFUL_ALERTS` | `http[s]://[user:password@]host[:port]` of an Alertmanager (`graceful_alerts::ALERTMANAGER`), `webhook+http[s]://host/path#secret` (`graceful_alerts::WEBHOOK`) |
    ///
    /// All servers but the last two are contacted at start.
    ///
    /// An empty variable counts as unset. A variable whose name is nearly one of these (`GRACEFUL_EVENT`, `GRACEFUL_CACHE_URL`) is an
    /// error; another one that begins with `GRACEFUL_` is ignored with a warning, since orchestrators of containers inject some, such
    /// as `GRACEFUL_PORT_80_TCP` for a service named `graceful`.
    ///
    /// # Errors
    /// A misspelt name; a value that is not a URL, or whose scheme no passed backend serves; a server that does not answer or refuses; a
    /// stream that is missing. All mistakes are reported at once, each with its variable, together with those of
    /// [`build`](OrchestratorBuilder::build).
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// // GRACEFUL_SERVICE=users
    /// graceful::Orchestrator::from_env(&[]).await?.install()?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn from_env(backends: &[Backend]) -> Result<Self, ConfigError> {
        let builder = Self::builder().env(backends).await?;
        let builder = builder.in_memory();
        Ok(builder.build()?)
    }
}

impl OrchestratorBuilder {
    /// Applies the environment; the variables are those of [`Orchestrator::from_env`]. A backend that it names replaces one that was
    /// given before.
    ///
    /// A step that the environment does not mention has no backend; `from_env` then calls [`in_memory`](Self::in_memory).
    ///
    /// # Errors
    /// As [`Orchestrator::from_env`].
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use graceful::Orchestrator;
    ///
    /// let builder = Orchestrator::builder().service("users").env(&[]).await?;
    /// let orchestrator = builder.on_report(|report| println!("{report}")).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn env(self, backends: &[Backend]) -> Result<Self, ConfigError> {
        let mut values = Values::default();
        for (name, value) in env::vars_os() {
            // A name that is not UTF-8 is not one of ours.
            let Some(name) = name.to_str() else { continue };
            match value.to_str() {
                Some(value) => values.set(name, value),
                None if Values::names().any(|known| known == name) => {
                    values.wrong.push((Some(name.to_owned().into()), "its value is not UTF-8".to_owned()));
                }
                None => {}
            }
        }
        self.with_values(backends, values).await
    }

    /// The same from other settings than the environment's: a name that is nearly one of those variables is an error, others are
    /// ignored.
    ///
    /// # Errors
    /// As [`Orchestrator::from_env`].
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let settings = [("GRACEFUL_SERVICE", "users"), ("GRACEFUL_CACHE", "")];
    /// let orchestrator = graceful::Orchestrator::builder().settings(&[], settings).await?.build()?;
    /// assert_eq!(orchestrator.key("user", 42).service(), "users");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn settings<N: AsRef<str>, V: AsRef<str>>(
        self,
        backends: &[Backend],
        settings: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, ConfigError> {
        let mut values = Values::default();
        for (name, value) in settings {
            values.set(name.as_ref(), value.as_ref());
        }
        self.with_values(backends, values).await
    }

    async fn with_values(mut self, backends: &[Backend], mut values: Values) -> Result<Self, ConfigError> {
        if let Some(service) = values.known.remove(SERVICE) {
            self = self.service(service);
        }
        if let Some(environment) = values.known.remove(ENVIRONMENT) {
            self = self.environment(environment);
        }
        let mut wrong = values.wrong;
        for variable in SERVERS {
            let Some(url) = values.known.remove(variable) else { continue };
            let connected = match connecting(variable, backends, url) {
                Ok(connecting) => connecting.await.map_err(|error| error.to_string()),
                Err(why) => Err(why),
            };
            match connected {
                Ok(change) => self = change(self),
                Err(why) => wrong.push((Some(variable.into()), why)),
            }
        }
        if wrong.is_empty() { Ok(self) } else { Err(ConfigError(wrong)) }
    }
}

/// Not async: whatever is borrowed here is not part of a future, which must be `Send`.
fn connecting(
    variable: &str,
    backends: &[Backend],
    url: String,
) -> Result<BoxFuture<Result<BuilderChange, ConnectError>>, String> {
    // Any part may be a password in the wrong place: none is shown.
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    let of_variable = backends.iter().filter(|backend| backend.variable == variable);
    if let Some(scheme) = scheme {
        if let Some(backend) = of_variable.clone().find(|backend| backend.schemes.contains(&scheme)) {
            return Ok((backend.connect)(url));
        }
        let of_crate = |(of, schemes, _): &&(&str, &[&str], _)| *of == variable && schemes.contains(&scheme);
        if let Some((.., add)) = CRATES.iter().find(of_crate) {
            let feature = if scheme == "rediss" { ", and enable its feature `tls`" } else { "" };
            return Err(format!(
                "no backend for `{scheme}://…` was passed; add `{add}` to the list of backends{feature}"
            ));
        }
    }
    let passed = of_variable.flat_map(|backend| backend.schemes.iter().map(|scheme| (*scheme, backend.name)));
    let mut expected: Vec<_> = passed.map(|(scheme, name)| format!("`{scheme}://…` ({name})")).collect();
    if expected.is_empty() {
        let crates = CRATES.iter().filter(|(of, ..)| *of == variable);
        expected.extend(crates.flat_map(|(_, schemes, add)| {
            schemes.iter().map(move |scheme| format!("`{scheme}://…` (with `{add}` in the list of backends)"))
        }));
    }
    let what = if scheme.is_none() { "not a URL" } else { "a URL of an unknown scheme" };
    Err(format!("its value is {what}; expected {}", expected.join(", ")))
}

#[derive(Default)]
struct Values {
    /// The values by variable, without empty ones.
    known: BTreeMap<&'static str, String>,
    wrong: Vec<(Option<Cow<'static, str>>, String)>,
}

impl Values {
    fn names() -> impl Iterator<Item = &'static str> {
        [SERVICE, ENVIRONMENT].into_iter().chain(SERVERS)
    }

    fn set(&mut self, name: &str, value: &str) {
        // The end of a line comes with a secret that was read from a file.
        let value = value.trim();
        if value.is_empty() {
            return;
        }
        if let Some(known) = Self::names().find(|known| *known == name) {
            self.known.insert(known, value.to_owned());
        } else if let Some(meant) = misspelt::meant(name, Self::names()) {
            let why = format!("no such variable; did you mean `{meant}`?");
            self.wrong.push((Some(name.to_owned().into()), why));
        } else if name.starts_with("GRACEFUL_") {
            let variable = escaped(name);
            tracing::warn!(target: "graceful::config", %variable, "unknown variable ignored");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BIRDS: Backend = Backend::new("birds", "GRACEFUL_CACHE", &["swift"], |_| {
        Box::pin(async { Err(ConnectError::new("no nest")) })
    });

    async fn refused(backends: &[Backend], url: &str) -> String {
        match connecting("GRACEFUL_CACHE", backends, url.to_owned()) {
            Ok(connecting) => connecting.await.err().unwrap().to_string(),
            Err(why) => why,
        }
    }

    #[tokio::test]
    async fn scheme_of_backend_that_is_not_passed_names_what_to_add() {
        assert_eq!(
            refused(&[BIRDS], "redis://:s3cret@a").await,
            "no backend for `redis://…` was passed; add `graceful_redis::BACKEND` to the list of backends"
        );
    }

    #[tokio::test]
    async fn value_that_is_not_a_url_names_expected_schemes() {
        assert_eq!(refused(&[BIRDS], "s3cret").await, "its value is not a URL; expected `swift://…` (birds)");
        let why = refused(&[], "s3cret://a").await;
        assert!(
            why.starts_with("its value is a URL of an unknown scheme; expected `redis://…` (with "),
            "{why}"
        );
        assert!(!why.contains("s3cret"), "{why}");
        assert_eq!(refused(&[BIRDS], "swift://a").await, "no nest");
    }
}
