//! Random calls, with texts and times that a database may not store as they are.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use fastrand::Rng;
use graceful::{
    __private010::Sample,
    Code, Context, Flow, Incident, Payload, Severity, Step,
    backends::{
        AttemptFailure, AttemptOutcome, FailureCause, FlowFilter, FlowState, Lane, QueuedFlow, ReceivedEvent,
        Uuid,
    },
};
use serde_json::json;

use super::HOUR;

fn texts() -> Vec<String> {
    let mut dice = Rng::with_seed(3);
    let long: String = (0..10_000).map(|_| dice.alphanumeric()).collect();
    let mut texts: Vec<String> = [
        "1",
        "",
        "a\0b",
        "\0",
        "\\0",
        "\\",
        "'\"; DROP TABLE x; --",
        "🦀é\u{202e}",
        "~",
        "~x",
        "%00",
        "%",
        "a/b",
        "A",
        "ä",
        "\n\r\t",
    ]
    .map(Into::into)
    .to_vec();
    texts.extend([
        long.clone() + "1",
        long + "2",
        "\\".repeat(512),
        "\0".repeat(512),
        "é".repeat(256),
        "x".repeat(512),
        "x".repeat(513),
    ]);
    texts
}

/// What is called, with everything that it is given.
#[derive(Clone, Debug)]
pub enum Call {
    Record(Arc<Flow>),
    Latest(Arc<Flow>),
    State(Arc<Flow>),
    Register(Arc<Flow>),
    Patterns,
    Trace(Arc<Flow>),
    Fire(Arc<Flow>, Severity),
    Resolve(Arc<Flow>),
    Alerts(usize),
    Open(Arc<Flow>, Duration),
    Complete(Incident),
    Jobs,
    Poll(usize, Duration),
    Finish(usize),
    Postpone(usize, Option<Duration>, String),
    Handle(String, Box<ReceivedEvent>, bool),
    Append(Arc<Flow>),
    Records(Option<Arc<Flow>>, usize),
    Enqueue(QueuedFlow),
    Claim(usize, Duration),
    Outcome(usize, AttemptOutcome),
    List(FlowFilter, usize),
    Count(FlowFilter, u64),
    Groups(FlowFilter, u64),
    Attempts(Uuid),
    Lag(u64),
    Discard(Uuid, FlowState),
    Delay(Uuid, Duration),
    Get(Uuid),
    Resubmit(Uuid),
    Purge(FlowState, Duration),
}

pub struct World {
    dice: Rng,
    texts: Vec<String>,
    flows: Vec<Arc<Flow>>,
    queued: Vec<Uuid>,
    /// Whether every step may get a flow that it has had before.
    repeats: bool,
    used: BTreeSet<(u8, Uuid)>,
}

impl World {
    pub fn new(seed: u64, repeats: bool) -> Self {
        let (dice, texts) = (Rng::with_seed(seed), texts());
        Self { dice, texts, flows: Vec::new(), queued: Vec::new(), repeats, used: BTreeSet::new() }
    }

    fn text(&mut self) -> String {
        let text = self.dice.usize(..self.texts.len());
        self.texts[text].clone()
    }

    fn flow(&mut self) -> Arc<Flow> {
        if !self.flows.is_empty() && self.dice.bool() {
            return self.any();
        }
        let seconds =
            [-377_705_023_201, -62_135_596_801, -1, 0, 1, 1_700_000_000, 1_700_000_001, 253_402_207_200];
        let second = *self.dice.choice(&seconds[..]).unwrap();
        let codes = [Code::Ok, Code::Ok, Code::Internal, Code::Unavailable];
        let code = *self.dice.choice(codes.as_slice()).unwrap();
        let context = Context::new().tenant(self.text()).user(self.text()).request_id(self.text());
        let context = if self.dice.u8(..4) == 0 { Context::new() } else { context };
        let id = if self.dice.u8(..3) == 0 { "1".to_owned() } else { self.text() };
        let payload = match self.dice.u8(..30) {
            0 => json!("\0🦀\"".repeat(200_000)),
            1..=5 => json!([u64::MAX, i64::MIN, 0.1, f64::MAX, f64::MIN_POSITIVE, -0.0]),
            _ => json!({ self.text(): self.text() }),
        };
        let sample = Sample::new(&id, code, second).context(context).handler(self.text());
        let sample = if self.dice.u8(..8) == 0 { sample.without_entity(&self.text()) } else { sample };
        let flow = sample.payload(Payload::of(&payload).unwrap(), true).flow();
        self.flows.push(Arc::clone(&flow));
        flow
    }

    fn any(&mut self) -> Arc<Flow> {
        match self.flows.len() {
            0 => self.flow(),
            some => Arc::clone(&self.flows[self.dice.usize(..some)]),
        }
    }

    /// In a step of this number: the memory counts a flow that is delivered again.
    fn once(&mut self, step: u8) -> Arc<Flow> {
        loop {
            let flow = self.flow();
            if self.used.insert((step, flow.id())) || self.repeats {
                return flow;
            }
        }
    }

    fn duration(&mut self) -> Duration {
        *self.dice.choice(&[Duration::ZERO, HOUR, Duration::MAX, Duration::from_secs(u64::MAX / 2)]).unwrap()
    }

    /// Its elements are all due, or none is during the test.
    fn limit(&mut self) -> usize {
        *self.dice.choice(&[0, 1, 2, 7, 1000, usize::MAX]).unwrap()
    }

    fn state(&mut self) -> FlowState {
        *self.dice.choice(&FlowState::ALL).unwrap()
    }

    fn filter(&mut self) -> FlowFilter {
        let mut filter = FlowFilter::default();
        for _ in 0..self.dice.u8(..3) {
            match self.dice.u8(..8) {
                0 => filter.state = Some(self.state()),
                1 => filter.handler = Some(self.text()),
                2 => filter.entity = Some(self.text().chars().take(512).collect()),
                3 => filter.tenant = Some(self.text()),
                4 => filter.pattern = Some(self.text()),
                5 => filter.code = Some(Code::Internal),
                6 => filter.step = self.dice.choice(Step::ALL),
                _ => filter.text = Some(self.text()),
            }
        }
        filter
    }

    fn id(&mut self) -> Uuid {
        match self.queued.len() {
            0 => Uuid::nil(),
            some => self.queued[self.dice.usize(..some)],
        }
    }

    fn event(&mut self) -> ReceivedEvent {
        loop {
            let (id, source) = (self.text(), self.text());
            let event = json!({"specversion": "1.0", "id": id, "source": source, "type": "t"});
            if let Ok(event) = serde_json::from_value(event) {
                return event;
            }
        }
    }

    fn failure(&mut self) -> AttemptFailure {
        let step = *self.dice.choice(Step::ALL.as_slice()).unwrap();
        let cause = match self.dice.bool() {
            true => FailureCause::at_step("handler", step, Code::Internal, self.text()),
            false => FailureCause::new("handler", self.text()),
        };
        let mut failure = AttemptFailure::new(cause);
        failure.took = *self.dice.choice(&[Duration::ZERO, HOUR]).unwrap();
        failure.steps = vec![(step, self.text())];
        failure
    }

    fn outcome(&mut self) -> AttemptOutcome {
        let body = self.dice.bool().then(|| self.text().into_bytes());
        match self.dice.u8(..3) {
            0 => AttemptOutcome::Completed,
            1 => AttemptOutcome::Retry { after: self.duration(), failure: self.failure(), body },
            _ => AttemptOutcome::Dead { failure: self.failure(), body },
        }
    }

    pub fn call(&mut self) -> Call {
        let severities = [Severity::Info, Severity::Warning, Severity::Error, Severity::Critical];
        match self.dice.u8(..28) {
            0 | 25 => Call::Record(self.flow()),
            1 => Call::Latest(self.any()),
            2 => Call::State(self.any()),
            3 => Call::Register(self.once(0)),
            4 => Call::Patterns,
            5 => Call::Trace(self.any()),
            6 | 26 => Call::Fire(self.flow(), *self.dice.choice(&severities).unwrap()),
            7 => Call::Resolve(self.any()),
            8 => Call::Alerts(self.limit()),
            9 => Call::Open(self.once(1), self.duration()),
            10 => Call::Complete(self.any().incident()),
            11 => Call::Jobs,
            12 => Call::Poll(self.limit(), HOUR),
            13 => Call::Finish(self.dice.usize(..5)),
            14 => {
                Call::Postpone(self.dice.usize(..5), self.dice.bool().then_some(self.duration()), self.text())
            }
            15 => Call::Handle(self.text(), Box::new(self.event()), self.dice.bool()),
            16 => Call::Append(self.once(2)),
            17 => Call::Records(self.dice.bool().then(|| self.any()), self.limit()),
            18 | 24 => {
                let body = if self.dice.u8(..20) == 0 { vec![7; 1 << 20] } else { self.text().into_bytes() };
                let id =
                    if self.dice.u8(..10) == 0 { self.id() } else { Uuid::from_u128(self.dice.u128(..)) };
                self.queued.push(id);
                // As the pipeline names it: an entity's key has a bound.
                let entity: String = self.text().chars().take(512).collect();
                let (handler, tenant) = (self.text(), self.text());
                let lane = Lane::of(&handler, &tenant);
                Call::Enqueue(QueuedFlow::new(id, entity, handler, lane, body))
            }
            19 => Call::Claim(1000, HOUR),
            20 => Call::Outcome(self.dice.usize(..9), self.outcome()),
            21 => match self.dice.u8(..3) {
                0 => Call::Count(self.filter(), self.dice.u64(..9)),
                1 => Call::Groups(self.filter(), self.dice.u64(..9)),
                _ => Call::List(self.filter(), self.limit()),
            },
            22 => match self.dice.u8(..4) {
                0 => Call::Attempts(self.id()),
                1 => Call::Lag(self.dice.u64(..9)),
                _ => Call::Get(self.id()),
            },
            27 => match self.dice.u8(..4) {
                0 => Call::Discard(self.id(), self.state()),
                1 => Call::Delay(self.id(), self.duration()),
                _ => Call::Resubmit(self.id()),
            },
            _ => Call::Purge(self.state(), *self.dice.choice(&[Duration::ZERO, Duration::MAX]).unwrap()),
        }
    }
}
