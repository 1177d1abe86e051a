//! Checks at start whether the subscribers can run.

use std::{error::Error, fmt, sync::Arc};

use super::{Subscriber, Subscribers, registered};
use crate::backends::{EventLog, EventSource, Subscriptions};

/// Why the subscribers of a program cannot run: a sentence for each reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscribeError(Vec<String>);

impl SubscribeError {
    /// The reasons.
    pub fn reasons(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the subscribers cannot run")?;
        self.0.iter().try_for_each(|reason| write!(f, "\n  {reason}"))
    }
}

impl Error for SubscribeError {}

/// Where the events come from.
#[derive(Clone)]
pub(super) enum Source {
    Log(Arc<dyn EventLog>),
    Broker(Arc<dyn EventSource>),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(_) => f.write_str("event log"),
            Self::Broker(broker) => f.write_str(&broker.place()),
        }
    }
}

type Checked = (Vec<&'static Subscriber>, Arc<dyn Subscriptions>, Source);

/// The subscribers of the program that [`only`](Subscribers::only) selects.
pub(super) fn chosen(run: &Subscribers) -> impl Iterator<Item = &'static Subscriber> {
    registered::all()
        .into_iter()
        .filter(|subscriber| run.paths.is_empty() || run.paths.iter().any(|path| subscriber.is_in(path)))
}

pub(super) fn check(run: &Subscribers) -> Result<Checked, SubscribeError> {
    let all = registered::all();
    let mut reasons = Vec::new();
    for pair in all.windows(2) {
        if pair[0].identity == pair[1].identity {
            reasons.push(format!(
                "{} and {} have one identity: give one of them another `name`",
                pair[0], pair[1]
            ));
        }
    }
    for path in &run.paths {
        if !all.iter().any(|subscriber| subscriber.is_in(path)) {
            reasons.push(format!("`{path}` names no subscriber of this program, and no module with one"));
        }
    }
    let chosen: Vec<_> = chosen(run).collect();
    if chosen.is_empty() && reasons.is_empty() {
        reasons.push("this program has no function with `#[subscribe]`".to_owned());
    }
    let subscriptions = run.orchestrator.subscriptions();
    let broker = run.source.clone().or_else(|| run.orchestrator.events().and_then(|events| events.source()));
    let source = broker.map(Source::Broker).or_else(|| run.orchestrator.event_log().map(Source::Log));
    if subscriptions.is_none() {
        reasons.push(
            "no store for the state of subscribers is configured: call `.store(…)` on the builder".to_owned(),
        );
    }
    if source.is_none() {
        reasons.push("the orchestrator has no event log, and emits to no broker from which subscribers can read: call `.store(…)` on the builder, or `.source(…)`".to_owned());
    }
    for subscriber in &chosen {
        for needed in subscriber.needs.iter().filter_map(|needs| needs()) {
            if !run.provided.has(needed) {
                reasons.push(format!(
                    "{subscriber} has a parameter `State<{}>`, but no such value was provided: call `.provide(…)`",
                    needed.name
                ));
            }
        }
        if let (Some(wanted), Some(subscriptions)) = (subscriber.transaction, &subscriptions) {
            let (id, name) = wanted();
            if subscriptions.transaction_type() != Some(id) {
                reasons.push(format!(
                    "{subscriber} has `tx` of type `{name}`, but the store has no such transactions"
                ));
            }
        }
    }
    match (subscriptions, source, reasons.is_empty()) {
        (Some(subscriptions), Some(source), true) => Ok((chosen, subscriptions, source)),
        _ => Err(SubscribeError(reasons)),
    }
}
