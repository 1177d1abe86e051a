//! The knowledge graph on any server that speaks SPARQL 1.1 over HTTP.
//!
//! Feature `sparql`.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use ::http::{HeaderValue, header::ACCEPT};
use graceful_http::{Http, Settings, origin};
use jiff::Timestamp;
use sparesults::{QueryResultsFormat, QueryResultsParser, SliceQueryResultsParserOutput};
use url::Url;

use graceful::{
    Flow, Key, StepError,
    backends::{Activity, Edge, KnowledgeGraph, Node, Reply, Rows},
};

use super::{activities, answered, neighbours, row, select, update};
use crate::Retention;

const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
/// The timeout of a sweep, which examines all flows in the background.
const SWEEP_TIMEOUT: Duration = Duration::from_secs(60);

/// A knowledge graph on a server that speaks SPARQL 1.1 over HTTP, in its default graph.
///
/// Its vocabulary is that of the embedded graph, `graceful_rdf::oxigraph::Graph`. Each flow is one update, which adds the flow and
/// deletes all but the last flows of its entity. Each process that writes deletes expired flows once an hour. Data of other programs in
/// the same graph is not changed.
///
/// The timeout of a request is 900 ms, of which 500 ms to connect, so that it fails before the time budget of the step is over.
///
/// ```no_run
/// use graceful::Orchestrator;
/// use graceful_rdf::sparql;
///
/// let graph = sparql::Graph::builder("https://graph.example.org/query")
///     .update_url("https://graph.example.org/update")
///     .basic_auth("users", std::env::var("GRAPH_PASSWORD")?)
///     .build()?;
/// let orchestrator = Orchestrator::builder().service("users").graph(graph).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Graph(Arc<Inner>);

struct Inner {
    http: Http,
    query: Url,
    update: Url,
    retention: Retention,
    swept: Mutex<Option<Instant>>,
}

impl Graph {
    /// Starts the settings of the server with this query URL. User and password in it are used, but never shown.
    ///
    /// ```
    /// let graph = graceful_rdf::sparql::Graph::builder("http://127.0.0.1:3030/ds/sparql").build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn builder(query_url: impl Into<String>) -> GraphBuilder {
        let (query_url, settings) = (query_url.into(), Settings::new());
        GraphBuilder { query_url, update_url: None, settings, retention: Retention::new() }
    }

    /// Creates a graph from one URL, whose fragment is the path of updates if that differs.
    pub(crate) fn of_url(text: &str) -> Result<Self, StepError> {
        let Some((query, update)) = text.split_once('#') else { return Self::builder(text).build() };
        let url = Url::parse(query).and_then(|url| url.join(update));
        let url = url.map_err(|error| StepError::new(format!("not a URL: {error}")))?;
        Self::builder(query).update_url(url).build()
    }

    fn select(&self, sparql: String) -> Reply<Rows> {
        let inner = Arc::clone(&self.0);
        Reply::pending(async move { inner.query(sparql).await })
    }

    /// Whether a sweep is due; returns true once per interval.
    fn is_sweep_due(&self) -> bool {
        let mut swept = self.0.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = swept.is_none_or(|swept| swept.elapsed() >= SWEEP_EVERY);
        if is_due {
            *swept = Some(Instant::now());
        }
        is_due
    }
}

/// Builds a [`Graph`]; see [`Graph::builder`].
///
/// ```
/// let builder = graceful_rdf::sparql::Graph::builder("https://ada:secret@example.org/sparql");
/// assert!(!format!("{builder:?}").contains("secret"));
/// ```
#[must_use]
pub struct GraphBuilder {
    query_url: String,
    update_url: Option<String>,
    settings: Settings,
    retention: Retention,
}

impl GraphBuilder {
    /// Sets the URL of updates. Default: the URL of queries.
    ///
    /// ```
    /// # use graceful_rdf::sparql::Graph;
    /// let graph = Graph::builder("http://127.0.0.1/query").update_url("http://127.0.0.1/update").build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn update_url(mut self, url: impl Into<String>) -> Self {
        self.update_url = Some(url.into());
        self
    }

    /// Authenticates by HTTP Basic.
    ///
    /// ```
    /// # use graceful_rdf::sparql::Graph;
    /// let graph = Graph::builder("http://127.0.0.1/query").basic_auth("users", "secret").build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn basic_auth(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.settings.basic_auth(user.into(), password.into());
        self
    }

    /// Authenticates by a bearer token.
    ///
    /// ```
    /// # use graceful_rdf::sparql::Graph;
    /// let graph = Graph::builder("http://127.0.0.1/query").bearer_auth("token").build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn bearer_auth(mut self, token: impl Into<String>) -> Self {
        self.settings.bearer_auth(token.into());
        self
    }

    /// Sets the timeout of a request. Default: 900 ms.
    ///
    /// ```
    /// # use graceful_rdf::sparql::Graph;
    /// let second = std::time::Duration::from_secs(1);
    /// let graph = Graph::builder("http://127.0.0.1/query").timeout(second).build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout(timeout);
        self
    }

    /// Sets the retention.
    ///
    /// ```
    /// # use graceful_rdf::{Retention, sparql::Graph};
    /// let last = Retention::new().flows_per_entity(10);
    /// let graph = Graph::builder("http://127.0.0.1/query").retention(last).build()?;
    /// # Ok::<(), graceful::StepError>(())
    /// ```
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// Builds the graph, without a request to the server.
    ///
    /// # Errors
    /// Fails if a URL is invalid, or its scheme is not `http` or `https`.
    ///
    /// ```
    /// # use graceful_rdf::sparql::Graph;
    /// let error = Graph::builder("127.0.0.1/query").build().unwrap_err();
    /// assert_eq!(error.message(), "not a URL: relative URL without a base");
    /// ```
    pub fn build(mut self) -> Result<Graph, StepError> {
        let query = self.settings.url(&self.query_url)?;
        let update = self.update_url.map_or(Ok(query.clone()), |url| self.settings.url(&url))?;
        let (http, retention) = (self.settings.connect()?, self.retention);
        Ok(Graph(Arc::new(Inner { http, query, update, retention, swept: Mutex::default() })))
    }
}

impl Inner {
    async fn query(&self, sparql: String) -> Result<Rows, StepError> {
        let accept = (ACCEPT, HeaderValue::from_static("application/sparql-results+json"));
        rows(&self.http.post(&self.query, "application/sparql-query", [accept], sparql).await?)
    }

    async fn update(&self, http: &Http, sparql: String) -> Result<(), StepError> {
        http.post(&self.update, "application/sparql-update", [], sparql).await.map(drop)
    }

    async fn sweep(&self) {
        let mut http = self.http.clone();
        http.timeout = SWEEP_TIMEOUT;
        let sweep = update::sweep(self.retention.since(Timestamp::now()));
        if let Err(error) = self.update(&http, sweep).await {
            tracing::warn!(target: "graceful::graph", %error, "deleting expired flows from the graph failed");
        }
    }
}

impl KnowledgeGraph for Graph {
    fn record(&self, flow: &Arc<Flow>) -> Reply<()> {
        let activity = Activity::of(flow);
        if activity.at < self.0.retention.since(Timestamp::now()) {
            return Reply::ready(());
        }
        let (inner, is_sweep_due) = (Arc::clone(&self.0), self.is_sweep_due());
        Reply::pending(async move {
            let update = update::record(&activity, inner.retention.max_flows_per_entity());
            inner.update(&inner.http, update).await?;
            if is_sweep_due {
                tokio::spawn(async move { inner.sweep().await });
            }
            Ok(())
        })
    }

    fn neighbours(&self, node: &Node) -> Reply<Vec<Edge>> {
        let node = node.clone();
        let found = self.select(select::around(&node));
        found.and_then(move |rows| Ok(neighbours(&activities(&rows)?, &node)))
    }

    fn history(&self, entity: &Key, limit: usize) -> Reply<Vec<Activity>> {
        self.select(select::history(entity, limit)).and_then(|rows| activities(&rows))
    }

    fn failures(&self, pattern: &str, since: Timestamp) -> Reply<Vec<Activity>> {
        self.select(select::failures(pattern, since)).and_then(|rows| activities(&rows))
    }

    fn query(&self, sparql: &str) -> Reply<Rows> {
        self.select(sparql.to_owned())
    }
}

/// Parses an answer in JSON. Other answers, such as the triples of a `CONSTRUCT`, are refused.
fn rows(answer: &[u8]) -> Result<Rows, StepError> {
    let parser = QueryResultsParser::from_format(QueryResultsFormat::Json);
    let solutions = match parser.for_slice(answer).map_err(StepError::caused_by)? {
        SliceQueryResultsParserOutput::Boolean(answer) => return Ok(answered(answer)),
        SliceQueryResultsParserOutput::Solutions(solutions) => solutions,
    };
    let variables = solutions.variables().iter().map(|variable| variable.as_str().into()).collect();
    let mut rows = Vec::new();
    for solution in solutions {
        rows.push(row(solution.map_err(StepError::caused_by)?.values()));
    }
    Ok(Rows::new(variables, rows))
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { http, query, retention, .. } = &*self.0;
        f.debug_struct("Graph")
            .field("server", &origin(query))
            .field("http", http)
            .field("retention", retention)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for GraphBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URLs are not parsed yet, so passwords in them could not be hidden.
        f.debug_struct("GraphBuilder")
            .field("settings", &self.settings)
            .field("retention", &self.retention)
            .finish_non_exhaustive()
    }
}
