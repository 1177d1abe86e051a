//! Flows that tests record in a graph.

use std::sync::Arc;

use graceful::{
    Code, Context, Failure, Flow, OrchestrationConfig, Orchestrator, Success,
    backends::{KnowledgeGraph, Timestamp},
};
use serde_json::json;

/// What a handler would have declared, and how it would have ended.
#[derive(Clone, Debug)]
pub struct Call {
    pub config: OrchestrationConfig,
    pub context: Context,
    pub error: Option<Code>,
    pub message: String,
}

pub fn call(pattern: &str, id: &str) -> Call {
    let message = "done".to_owned();
    Call { config: OrchestrationConfig::new(pattern).id(id), context: Context::new(), error: None, message }
}

impl Call {
    pub fn related(mut self, relation: &str, to_pattern: &str, to: &str) -> Self {
        self.config = self.config.graph(relation, to).to_pattern(to_pattern);
        self
    }

    pub fn failed(mut self, code: Code) -> Self {
        self.error = Some(code);
        self
    }

    /// The flow that came of it.
    pub async fn flow(self) -> Arc<Flow> {
        let Self { config, context, error, message } = self;
        let orchestrator = Orchestrator::builder().service("users").environment("test").build().unwrap();
        let config = config.on(&orchestrator);
        let report = context
            .scope(async move {
                match error {
                    None => Success::wrap(Code::Ok, &message, &()).orchestrate(&config).await,
                    Some(code) => Failure::wrap(code, &message, &()).orchestrate(&config).await,
                }
            })
            .await;
        Arc::clone(report.flow())
    }

    /// The same as if it had ended at that time.
    pub async fn flow_at(self, at: Timestamp) -> Arc<Flow> {
        let mut stored = serde_json::to_value(&*self.flow().await).unwrap();
        stored["at"] = json!(at);
        Arc::new(serde_json::from_value(stored).unwrap())
    }
}

/// Another copy of it, as after a restart.
pub fn replayed(flow: &Flow) -> Arc<Flow> {
    Arc::new(serde_json::from_slice(&serde_json::to_vec(flow).unwrap()).unwrap())
}

/// A while ago, and so many seconds later.
pub fn second(second: i64) -> Timestamp {
    use std::sync::OnceLock;
    static START: OnceLock<Timestamp> = OnceLock::new();
    let start = START.get_or_init(|| Timestamp::from_second(Timestamp::now().as_second() - 10_000).unwrap());
    Timestamp::from_second(start.as_second() + second).unwrap()
}

pub async fn record_all(graph: &dyn KnowledgeGraph, flows: &[Arc<Flow>]) {
    for flow in flows {
        graph.record(flow).await.unwrap();
    }
}

/// How many triples there are.
pub async fn triples(graph: &dyn KnowledgeGraph) -> usize {
    let rows = graph.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }").await.unwrap();
    rows.get(0, "n").unwrap().text().parse().unwrap()
}
