//! The spans of a flow and of its steps, and their durations. With no subscriber and no observer the cost is two checks.

use std::{sync::Arc, time::Duration};

use tracing::{
    Level, Span,
    field::{Empty, display},
    level_filters::LevelFilter,
};

use tokio::time::Instant;

use super::StepResult;
#[cfg(feature = "metrics")]
use super::metrics::Labels;
use crate::{flow::Flow, pipeline::Orchestrator, step::Step, text::Text};

/// The telemetry of one flow.
#[derive(Default)]
pub(super) struct FlowTelemetry(Option<Box<Watched>>);

struct Watched {
    flow: Span,
    steps: [Option<Watching>; 9],
    /// How long each step ran, if a report will say it.
    durations: Option<Box<Durations>>,
    #[cfg(feature = "metrics")]
    since: Instant,
    #[cfg(feature = "metrics")]
    labels: Labels,
}

/// How long each step ran; `None` for those that did not run.
pub(super) type Durations = [Option<Duration>; 9];

/// A running step.
struct Watching {
    span: Span,
    /// Not set if nothing needs the duration.
    since: Option<Instant>,
}

/// The span in which a handler is called: the parent of the flow's span, if a subscriber enables flow spans.
#[inline]
pub(crate) fn caller() -> Option<Box<Span>> {
    if no_subscriber() { None } else { current() }
}

#[cold]
fn current() -> Option<Box<Span>> {
    if !flows_are_traced() {
        return None;
    }
    let span = Span::current();
    (!span.is_none()).then(|| Box::new(span))
}

/// The level check, which costs one load.
fn no_subscriber() -> bool {
    LevelFilter::current() < LevelFilter::INFO
}

fn flows_are_traced() -> bool {
    tracing::span_enabled!(target: "graceful::flow", Level::INFO)
}

fn steps_are_traced() -> bool {
    tracing::span_enabled!(target: "graceful::step", Level::DEBUG)
}

// The code for an enabled subscriber is cold, so that the hot path stays short.
impl FlowTelemetry {
    /// Starts the span and the clock at the end of the handler. `is_timed` says whether a report will have the durations of the steps;
    /// then the telemetry is on.
    #[inline]
    pub(super) fn over(flow: &mut Arc<Flow>, is_timed: bool) -> Self {
        if cfg!(not(feature = "metrics")) && !is_timed && no_subscriber() {
            return Self(None);
        }
        Self(Watched::over(flow, is_timed))
    }

    #[inline]
    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The span of the flow.
    #[inline]
    pub(super) fn flow(&self) -> Option<Span> {
        self.0.as_ref().map(|watched| watched.flow())
    }

    /// The span of a running step.
    #[inline]
    pub(super) fn step(&self, step: Step) -> Option<Span> {
        self.0.as_ref().and_then(|watched| watched.step(step))
    }

    /// Starts the span of a step.
    #[inline]
    pub(super) fn begin(&mut self, step: Step, flow: &Flow, orchestrator: &Orchestrator) -> Option<Span> {
        self.0.as_mut().map(|watched| watched.begin(step, flow, orchestrator))
    }

    #[inline]
    pub(super) fn end(&mut self, step: Step, result: &StepResult, flow: &Flow) {
        if let Some(watched) = &mut self.0 {
            watched.end(step, result, flow);
        }
    }

    /// How long each step ran, if that was measured for a report.
    pub(super) fn durations(&self) -> Option<Box<Durations>> {
        self.0.as_ref()?.durations.clone()
    }

    /// Records that the last step has ended.
    #[inline]
    pub(super) fn flow_ended(&self, flow: &Flow) {
        if let Some(watched) = &self.0 {
            watched.flow_ended(flow);
        }
    }
}

impl Watched {
    #[cold]
    fn over(flow: &mut Arc<Flow>, is_timed: bool) -> Option<Box<Self>> {
        // Always taken, because a stored flow must not keep the caller's span open.
        let caller = Arc::get_mut(flow).and_then(|flow| flow.caller.take());
        (cfg!(feature = "metrics") || is_timed || flows_are_traced() || steps_are_traced())
            .then(|| Box::new(Self::of(flow, caller.as_deref(), is_timed)))
    }

    fn of(flow: &Flow, caller: Option<&Span>, is_timed: bool) -> Self {
        let failed = (!flow.is_success()).then(|| flow.code().as_str());
        macro_rules! span {
            ($($parent:tt)*) => {
                tracing::info_span!(
                    target: "graceful::flow",
                    $($parent)*
                    "flow",
                    otel.name = flow.handler(),
                    handler = flow.handler(),
                    pattern = flow.pattern(),
                    entity = %flow.entity(),
                    flow = %flow.id(),
                    ending = flow.ending().as_str(),
                    code = flow.code().as_str(),
                    traceparent = flow.context().and_then(|context| context.trace).map(display),
                    recovered = Empty,
                    otel.status_code = failed.map(|_| "ERROR"),
                    "error.type" = failed,
                )
            };
        }
        let span = match caller {
            Some(caller) => span!(parent: caller,),
            None => span!(),
        };
        #[cfg(feature = "opentelemetry")]
        if let (None, Some(call)) = (caller, flow.context()) {
            crate::trace::opentelemetry::link(&span, call.trace, call.trace_state.as_ref());
        }
        Self {
            flow: span,
            steps: [const { None }; 9],
            durations: is_timed.then(Box::default),
            #[cfg(feature = "metrics")]
            since: Instant::now(),
            #[cfg(feature = "metrics")]
            labels: Labels::of(flow),
        }
    }

    #[cold]
    fn flow(&self) -> Span {
        self.flow.clone()
    }

    #[cold]
    fn step(&self, step: Step) -> Option<Span> {
        self.steps[step as usize].as_ref().map(|watching| watching.span.clone())
    }

    #[cold]
    fn begin(&mut self, step: Step, flow: &Flow, orchestrator: &Orchestrator) -> Span {
        let message = Message::of(step, flow, orchestrator);
        // Step spans may be enabled without flow spans: then the parent is the current span.
        let span = self.flow.in_scope(|| {
            tracing::debug_span!(
                target: "graceful::step",
                "step",
                otel.name = step.as_str(),
                step = step.as_str(),
                arm = flow.arm(),
                outcome = Empty,
                result = Empty,
                otel.status_code = Empty,
                "error.type" = Empty,
                otel.kind = message.kind,
                "messaging.system" = message.system,
                "messaging.destination.name" = message.destination.as_deref(),
                "messaging.operation.type" = message.operation_type,
                "messaging.operation.name" = message.operation_name,
                "messaging.message.id" = message.id.as_deref(),
            )
        });
        let is_timed = cfg!(feature = "metrics") || self.durations.is_some();
        self.steps[step as usize] = Some(Watching { span: span.clone(), since: is_timed.then(Instant::now) });
        span
    }

    #[cold]
    #[cfg_attr(not(feature = "metrics"), expect(unused_variables, reason = "its measures are a feature"))]
    fn end(&mut self, step: Step, result: &StepResult, flow: &Flow) {
        let Some(watching) = self.steps[step as usize].take() else { return };
        watching.end(result);
        let took = watching.since.map(|since| since.elapsed());
        // A step that skips itself has not run.
        if let (Some(durations), StepResult::Done(_) | StepResult::Failed(_)) = (&mut self.durations, result)
        {
            durations[step as usize] = took;
        }
        #[cfg(feature = "metrics")]
        super::metrics::step_ended(step, result, flow.arm(), &self.labels, took.unwrap_or_default());
    }

    #[cold]
    fn flow_ended(&self, flow: &Flow) {
        if flow.fallback_applied() {
            self.flow.record("recovered", true);
        }
        #[cfg(feature = "metrics")]
        super::metrics::flow_ended(flow, &self.labels, self.since.elapsed());
    }
}

impl Watching {
    fn end(&self, result: &StepResult) {
        if self.span.is_disabled() {
            return;
        }
        self.span.record("outcome", result.outcome());
        self.span.record("result", display(result));
        if let Some(error) = result.error() {
            self.span.record("otel.status_code", "ERROR");
            self.span.record("error.type", error.kind().as_str());
        }
    }
}

/// The attributes that OpenTelemetry's conventions for messaging ask of the span in which a message is sent.
#[derive(Default)]
struct Message {
    kind: Option<&'static str>,
    system: Option<&'static str>,
    operation_type: Option<&'static str>,
    operation_name: Option<&'static str>,
    destination: Option<Text>,
    id: Option<String>,
}

impl Message {
    /// The attributes of the step `event`, if its backend sends the event to a server; of every other step there are none.
    fn of(step: Step, flow: &Flow, orchestrator: &Orchestrator) -> Self {
        let is_message =
            cfg!(feature = "opentelemetry") && step == Step::Event && flow.event_name().is_some();
        if !is_message || !steps_are_traced() || flow.is_hooked(step) {
            return Self::default();
        }
        let Some(destination) = orchestrator.events().and_then(|events| events.destination()) else {
            return Self::default();
        };
        Self {
            kind: Some("producer"),
            system: Some(destination.system),
            operation_type: Some("send"),
            operation_name: Some("publish"),
            destination: Some(destination.name),
            id: Some(flow.delivery_id()),
        }
    }
}
