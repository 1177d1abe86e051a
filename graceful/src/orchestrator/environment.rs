//! Backends by configuration: a URL per variable.

use std::{borrow::Cow, collections::BTreeMap, env, fmt};

use super::{
    BuildError, Orchestrator, OrchestratorBuilder,
    engines::{
        ALERTMANAGER, Connecting, Engine, NATS_EVENTS, POSTGRES_STORE, REDIS_CACHE, REDIS_CACHE_ENCRYPTED,
        SPARQL_GRAPH, SQLITE_STORE, WEBHOOK,
    },
    misspelt,
};
use crate::escape::escaped;

/// One for each variable that names a server: a new one is a row here.
const VARIABLES: [Variable; 5] = [
    Variable { name: "GRACEFUL_CACHE", engines: &[REDIS_CACHE, REDIS_CACHE_ENCRYPTED] },
    Variable { name: "GRACEFUL_EVENTS", engines: &[NATS_EVENTS] },
    Variable { name: "GRACEFUL_STORE", engines: &[SQLITE_STORE, POSTGRES_STORE] },
    Variable { name: "GRACEFUL_GRAPH", engines: &[SPARQL_GRAPH] },
    Variable { name: "GRACEFUL_ALERTS", engines: &[ALERTMANAGER, WEBHOOK] },
];

const SERVICE: &str = "GRACEFUL_SERVICE";
const ENVIRONMENT: &str = "GRACEFUL_ENVIRONMENT";

/// What it stands for: a server, by its URL.
struct Variable {
    name: &'static str,
    engines: &'static [Engine],
}

/// What is wrong with a configuration: each mistake, by the name of its variable.
///
/// Neither its text nor its `Debug` holds any part of a URL, but for the host and the port of a server, where they are those beyond
/// doubt.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let settings = [("GRACEFUL_CACHE", "http://:secret@127.0.0.1"), ("GRACEFUL_EVENTS", "127.0.0.1")];
/// let error = graceful::Orchestrator::builder().with_settings(settings).await.unwrap_err();
/// assert_eq!(error.variables().collect::<Vec<_>>(), ["GRACEFUL_CACHE", "GRACEFUL_EVENTS"]);
/// assert!(!error.to_string().contains("secret"));
/// # });
/// ```
#[derive(PartialEq, Eq)]
pub struct ConfigError(Vec<(Option<Cow<'static, str>>, String)>);

impl ConfigError {
    /// The variables that are wrong, without those of which only [`build`](OrchestratorBuilder::build) knows that they are
    /// missing.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let builder = graceful::Orchestrator::builder();
    /// let error = builder.with_settings([("GRACEFUL_CACHE", "no URL")]).await.unwrap_err();
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
    /// An orchestrator whose backends are chosen by the environment; a step that it says nothing of has the backend of
    /// `in_memory`, if that feature is on.
    ///
    /// | variable | value |
    /// |---|---|
    /// | `GRACEFUL_SERVICE` | the service's name |
    /// | `GRACEFUL_ENVIRONMENT` | the environment, such as `prod` |
    /// | `GRACEFUL_CACHE` | `redis://[[user]:password@]host[:port][/database]` (feature `redis`), `rediss://…` (feature `redis-tls`) |
    /// | `GRACEFUL_EVENTS` | `nats://[user:password@]host[:port][,host…][?stream=name]`, `tls://…` (feature `nats`) |
    /// | `GRACEFUL_STORE` | `postgres://[user:password@]host[:port]/database[?max_connections=n]` (feature `postgres`), whose tables are made if they are missing and the role may; `sqlite://path/to/file.db[?mode=rwc]` (feature `sqlite`) |
    /// | `GRACEFUL_GRAPH` | `http[s]://[user:password@]host[:port]/path[#/path]` of a SPARQL 1.1 server, where updates go to the path after the `#` (feature `sparql`) |
    /// | `GRACEFUL_ALERTS` | `http[s]://[user:password@]host[:port]` of an Alertmanager (feature `alertmanager`), `webhook+http[s]://host/path#secret` (feature `webhook`) |
    ///
    /// All servers but the last two are asked at start.
    ///
    /// A variable that is empty is one that is not set. One that is nearly one of these (`GRACEFUL_EVENT`, `GRACEFUL_CACHE_URL`) is an
    /// error; another one that begins with `GRACEFUL_` is passed over, and a warning says so: what runs containers sets some, as
    /// `GRACEFUL_PORT_80_TCP` for a service named `graceful`.
    ///
    /// # Errors
    /// A misspelt name. A value that is no URL, or of a scheme that nothing here serves or whose feature is not compiled in; a server that
    /// does not answer or refuses; a stream that is missing. All that is wrong is told at once, each with its variable. And
    /// what [`build`](OrchestratorBuilder::build) finds.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// // GRACEFUL_SERVICE=users GRACEFUL_CACHE=redis://127.0.0.1 GRACEFUL_EVENTS=nats://127.0.0.1
    /// graceful::Orchestrator::from_env().await?.install()?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn from_env() -> Result<Self, ConfigError> {
        let builder = Self::builder().with_env().await?;
        #[cfg(feature = "memory")]
        let builder = builder.in_memory();
        Ok(builder.build()?)
    }
}

impl OrchestratorBuilder {
    /// Takes what the environment says; the variables are those of [`Orchestrator::from_env`]. A backend that it names
    /// takes the place of one that was given before.
    ///
    /// # Errors
    /// As [`Orchestrator::from_env`].
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use graceful::Orchestrator;
    ///
    /// let builder = Orchestrator::builder().service("users").with_env().await?;
    /// let orchestrator = builder.on_report(|report| println!("{report}")).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn with_env(self) -> Result<Self, ConfigError> {
        let mut values = Values::default();
        for (name, value) in env::vars_os() {
            // A name that is no UTF-8 is none of ours.
            let Some(name) = name.to_str() else { continue };
            match value.to_str() {
                Some(value) => values.set(name, value),
                None if Values::names().any(|known| known == name) => {
                    values.wrong.push((Some(name.to_owned().into()), "its value is no UTF-8".to_owned()));
                }
                None => {}
            }
        }
        self.with_values(values).await
    }

    /// The same from other settings than the environment's: a name that is nearly one of those variables is an error, others are
    /// passed over.
    ///
    /// # Errors
    /// As [`Orchestrator::from_env`].
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let settings = [("GRACEFUL_SERVICE", "users"), ("GRACEFUL_CACHE", "")];
    /// let orchestrator = graceful::Orchestrator::builder().with_settings(settings).await?.build()?;
    /// assert_eq!(orchestrator.key("user", 42).service(), "users");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn with_settings<N: AsRef<str>, V: AsRef<str>>(
        self,
        settings: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, ConfigError> {
        let mut values = Values::default();
        for (name, value) in settings {
            values.set(name.as_ref(), value.as_ref());
        }
        self.with_values(values).await
    }

    async fn with_values(mut self, mut values: Values) -> Result<Self, ConfigError> {
        if let Some(service) = values.known.remove(SERVICE) {
            self = self.service(service);
        }
        if let Some(environment) = values.known.remove(ENVIRONMENT) {
            self = self.environment(environment);
        }
        let mut wrong = values.wrong;
        for variable in &VARIABLES {
            let Some(url) = values.known.remove(variable.name) else { continue };
            let connected = match variable.connecting(url) {
                Ok(connecting) => connecting.await.map_err(|error| error.to_string()),
                Err(why) => Err(why),
            };
            match connected {
                Ok(change) => self = change(self),
                Err(why) => wrong.push((Some(variable.name.into()), why)),
            }
        }
        if wrong.is_empty() { Ok(self) } else { Err(ConfigError(wrong)) }
    }
}

impl Variable {
    /// Not async: whatever is borrowed here is no part of a future, which must be `Send`.
    fn connecting(&self, url: String) -> Result<Connecting, String> {
        let mut schemes = self.engines.iter().flat_map(|engine| engine.schemes).peekable();
        if schemes.peek().is_none() {
            return Err("there is no engine for it in this version".to_owned());
        }
        let known = schemes.map(|scheme| format!("`{scheme}://…`")).collect::<Vec<_>>().join(", ");
        // Any part may be a password in the wrong place: none is shown.
        let Some((scheme, _)) = url.split_once("://") else {
            return Err(format!("its value is no URL; known are {known}"));
        };
        let Some(engine) = self.engines.iter().find(|engine| engine.schemes.contains(&scheme)) else {
            return Err(format!("the scheme of its URL is unknown here; known are {known}"));
        };
        let Some(connect) = engine.connect else {
            let feature = engine.feature;
            return Err(format!(
                "`{scheme}://…` needs the feature `{feature}` of graceful, which is not compiled in"
            ));
        };
        Ok(connect(url))
    }
}

#[derive(Default)]
struct Values {
    /// By variable; what is empty is not there.
    known: BTreeMap<&'static str, String>,
    wrong: Vec<(Option<Cow<'static, str>>, String)>,
}

impl Values {
    fn names() -> impl Iterator<Item = &'static str> {
        [SERVICE, ENVIRONMENT].into_iter().chain(VARIABLES.iter().map(|variable| variable.name))
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
            tracing::warn!(target: "graceful::config", %variable, "a variable is unknown, and passed over");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refused(engines: &'static [Engine], url: &str) -> String {
        match (Variable { name: "GRACEFUL_CACHE", engines }).connecting(url.to_owned()) {
            Ok(connecting) => connecting.await.err().unwrap().to_string(),
            Err(why) => why,
        }
    }

    #[tokio::test]
    async fn an_engine_that_is_not_compiled_in_names_its_feature() {
        const ENGINES: &[Engine] = &[Engine { schemes: &["swift"], feature: "birds", connect: None }];
        assert_eq!(
            refused(ENGINES, "swift://:s3cret@a").await,
            "`swift://…` needs the feature `birds` of graceful, which is not compiled in"
        );
    }

    #[tokio::test]
    async fn a_variable_without_an_engine_is_not_passed_over() {
        assert_eq!(refused(&[], "swift://:s3cret@a").await, "there is no engine for it in this version");
    }

    #[cfg(all(feature = "sparql", feature = "alertmanager", feature = "webhook", feature = "sqlite"))]
    #[tokio::test]
    async fn the_graph_and_the_alerts_are_chosen_and_the_store_is_the_book() {
        let path = env::temp_dir().join(format!("graceful-environment-{}.db", fastrand::u64(..)));
        let store = format!("sqlite://{}", path.display());
        for (alerts, shown) in [
            ("http://ada:s3cret@127.0.0.1:9", "Alertmanager {"),
            ("webhook+https://127.0.0.1/s3cret#s3cret", "Webhook {"),
        ] {
            let settings = [
                ("GRACEFUL_STORE", store.as_str()),
                ("GRACEFUL_GRAPH", "http://ada:s3cret@127.0.0.1:9/query#/update"),
                ("GRACEFUL_ALERTS", alerts),
            ];
            let orchestrator =
                Orchestrator::builder().with_settings(settings).await.unwrap().build().unwrap();
            let told = format!("{:?} {:?}", orchestrator.alerts().unwrap(), orchestrator.graph().unwrap());
            assert!(told.contains(shown) && told.contains("book: Store"), "{told}");
            assert!(told.contains("http://127.0.0.1:9") && !told.contains("s3cret"), "{told}");
        }
        std::fs::remove_file(path).unwrap();
    }

    #[cfg(all(feature = "sparql", feature = "webhook"))]
    #[tokio::test]
    async fn a_url_that_will_not_do_is_told_without_its_secrets() {
        for (engines, url) in [
            (&[SPARQL_GRAPH] as &[_], "http://ada:s3cret@:x/"),
            (&[WEBHOOK], "webhook+https://127.0.0.1/s3cret"),
            (&[WEBHOOK], "webhook+https://127.0.0.1/s3cret#whsec_s3cret!"),
        ] {
            let why = refused(engines, url).await;
            assert!(!why.contains("s3cret"), "{why}");
        }
    }
}
