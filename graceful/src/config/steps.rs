//! The options of the steps.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::OrchestrationConfig;
use crate::{
    flow::{AlertOn, Argument, OnErr, OnOk, Severity},
    text::{Text, text},
};

impl OrchestrationConfig {
    /// Sets the cache key. Without one the step `cache` is skipped.
    ///
    /// # Panics
    /// Panics if its `Display` fails, as `to_string` does.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").cache_key(42).on(&Orchestrator::in_memory());
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.step(Step::Cache).to_string(), "put");
    /// # });
    /// ```
    pub fn cache_key(mut self, key: impl fmt::Display) -> Self {
        self.values.set_cache_key(&key);
        self
    }

    /// Sets the time to live of the cached value, in whole milliseconds. Default: 10 minutes.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let ttl = std::time::Duration::from_millis(1);
    /// let config = OrchestrationConfig::new("user").cache_key(42).cache_ttl(ttl).on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// tokio::time::sleep(ttl * 20).await;
    /// assert_eq!(orchestrator.cached::<String>("user", 42).await.unwrap(), None);
    /// # });
    /// ```
    pub fn cache_ttl(mut self, ttl: Duration) -> Self {
        self.declared().options.cache_ttl_ms = millis(ttl);
        self
    }

    /// Sets the cached value. Default: the payload.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").cache_key(42).cache_value(&[1, 2]).on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(orchestrator.cached::<Vec<u8>>("user", 42).await.unwrap(), Some(vec![1, 2]));
    /// # });
    /// ```
    pub fn cache_value<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        self.values.cache_value = Some(self.values.serialise(Argument::CacheValue, value));
        self
    }

    /// Sets the entity's version, so that a newer cached version is not overwritten.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").cache_key(42).on(&Orchestrator::in_memory());
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config.clone().version(2)).await;
    /// let late = Success::wrap(Code::Ok, "user created", "ad").orchestrate(&config.version(1)).await;
    /// assert_eq!(late.step(Step::Cache).to_string(), "skipped: a newer version is cached");
    /// # });
    /// ```
    pub fn version(mut self, version: i64) -> Self {
        self.values.version = Some(version);
        self
    }

    /// Sets what a success does to the cached value. Default: put if there is a payload, otherwise invalidate.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").cache_key(42).on_ok(graceful::options::OnOk::Invalidate).on(&orchestrator);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.step(Step::Cache).to_string(), "invalidated");
    /// # });
    /// ```
    pub fn on_ok(mut self, on_ok: OnOk) -> Self {
        self.declared().options.on_ok = on_ok;
        self
    }

    /// Sets what an error does to the cached value. Default: invalidate, unless the code says that the state was not touched.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").cache_key(42).on_err(graceful::options::OnErr::Keep).on(&orchestrator);
    /// let report = Failure::wrap(Code::Internal, "something failed", "disk full").orchestrate(&config).await;
    /// assert_eq!(report.step(Step::Cache).to_string(), "kept");
    /// # });
    /// ```
    pub fn on_err(mut self, on_err: OnErr) -> Self {
        self.declared().options.on_err = on_err;
        self
    }

    /// Sets the event of a success. The event of an error is `{name}.failed`, unless [`event_failed`](Self::event_failed) sets it.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").event("user_updated");
    /// let report = Failure::wrap(Code::Internal, "something failed", "disk full").orchestrate(&config).await;
    /// assert_eq!(report.flow().event_name(), Some("user_updated.failed"));
    /// # });
    /// ```
    pub fn event(mut self, name: impl Into<Text>) -> Self {
        let declared = self.declared();
        declared.event = name.into();
        if declared.failed.is_empty() {
            declared.failed = text!("{}.failed", declared.event);
        }
        self
    }

    /// Sets the event of an error.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").event("user_updated").event_failed("user_kept");
    /// let report = Failure::wrap(Code::Internal, "something failed", "disk full").orchestrate(&config).await;
    /// assert_eq!(report.flow().event_name(), Some("user_kept"));
    /// # });
    /// ```
    pub fn event_failed(mut self, name: impl Into<Text>) -> Self {
        self.declared().failed = name.into();
        self
    }

    /// Sets the payload of the event. Default: the payload of the flow.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let events = backends::memory::Events::new();
    /// # let mut inbox = events.subscribe();
    /// # let orchestrator = Orchestrator::builder().events(events).build().unwrap();
    /// let config = OrchestrationConfig::new("user").event("user_updated").event_payload(&[1, 2]).on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(inbox.recv().await.unwrap().data().result.as_json(), "[1,2]");
    /// # });
    /// ```
    pub fn event_payload<T: Serialize + ?Sized>(mut self, payload: &T) -> Self {
        self.values.event_payload = Some(self.values.serialise(Argument::EventPayload, payload));
        self
    }

    /// Adds an edge to the graph on success, beside entity —succeeded→ flow: entity —`relation`→ `to`.
    ///
    /// `to` is the id of an entity of the same service and tenant. It has no pattern unless [`to_pattern`](Self::to_pattern) sets
    /// one. If it is empty, the step fails.
    ///
    /// # Panics
    /// Panics if its `Display` fails, as `to_string` does.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # use graceful::backends::Node;
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").id(42).graph("member_of", 7).on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// let user = Node::Entity(orchestrator.key("user", 42));
    /// let edges = orchestrator.graph().unwrap().neighbours(&user).await.unwrap();
    /// assert_eq!((&*edges[0].relation, &*edges[1].relation), ("succeeded", "member_of"));
    /// assert_eq!(edges[1].object, Node::Entity(orchestrator.key("", 7)));
    /// # });
    /// ```
    pub fn graph(mut self, relation: impl Into<Text>, to: impl fmt::Display) -> Self {
        self.declared().relation = relation.into();
        self.values.set_graph_to(&to);
        self
    }

    /// Sets the pattern of the entity that [`graph`](Self::graph) relates to.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # use graceful::backends::Node;
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").id(42).graph("member_of", 7).to_pattern("team").on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// let team = Node::Entity(orchestrator.key("team", 7));
    /// let edges = orchestrator.graph().unwrap().neighbours(&team).await.unwrap();
    /// assert_eq!((&*edges[0].relation, &edges[0].object), ("member_of", &team));
    /// # });
    /// ```
    pub fn to_pattern(mut self, pattern: impl Into<Text>) -> Self {
        self.declared().to_pattern = pattern.into();
        self
    }

    /// Sets how long after a server fault the review job is due, in whole milliseconds. Default: 5 minutes.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let hour = std::time::Duration::from_secs(3600);
    /// let config = OrchestrationConfig::new("user").id(42).schedule_after(hour).on(&orchestrator);
    /// let report = Failure::wrap(Code::Internal, "something failed", "disk full").orchestrate(&config).await;
    /// # let filter = backends::IncidentFilter::default();
    /// let jobs = orchestrator.scheduler().unwrap().jobs(filter, None, 10).await.unwrap().items;
    /// assert!(jobs[0].due >= report.flow().timestamp() + hour);
    /// # });
    /// ```
    pub fn schedule_after(mut self, after: Duration) -> Self {
        self.declared().options.schedule_after_ms = millis(after);
        self
    }

    /// Sets which errors fire an alert, and its severity. Default: server faults, [`Severity::Error`].
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").alert(graceful::options::AlertOn::All, Severity::Info).on(&orchestrator);
    /// Failure::wrap(Code::NotFound, "no such user", "cause").orchestrate(&config).await;
    /// # let filter = backends::IncidentFilter::default();
    /// let open = orchestrator.alerts().unwrap().open(filter, None, 10).await.unwrap().items;
    /// assert_eq!(open[0].severity, Severity::Info);
    /// # });
    /// ```
    pub fn alert(mut self, on: AlertOn, severity: Severity) -> Self {
        self.declared().options.alert_on = on;
        self.declared().options.severity = severity;
        self
    }

    /// Stores the payload itself in the audit record, not only its hash.
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Orchestrator, Success, backends::{AuditLog, memory}};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let audit = memory::AuditLog::new();
    /// # let orchestrator = Orchestrator::builder().audit(audit.clone()).build().unwrap();
    /// let config = OrchestrationConfig::new("user").id(42).audit_payload().on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// let record = audit.records(None, 1).await.unwrap().remove(0);
    /// assert_eq!(record.payload.unwrap().as_json(), "\"ada\"");
    /// # });
    /// ```
    pub fn audit_payload(mut self) -> Self {
        self.declared().options.audit_payload = true;
        self
    }

    /// Stores the value of a success as the last good value; see `fallback = last_good` of the attribute.
    ///
    /// ```
    /// # use graceful::*; tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").cache_key(42).remember_last_good().on(&orchestrator);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.step(Step::Fallback).to_string(), "remembered");
    /// # });
    /// ```
    pub fn remember_last_good(mut self) -> Self {
        self.declared().options.last_good = true;
        self
    }
}

/// Whole milliseconds.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
