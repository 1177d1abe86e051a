use std::fmt::Write as _;

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use super::{
    super::testing::{answer, at, flow, flow_at},
    *,
};
use crate::Code;

fn open(alerts: &Alerts) -> Vec<Alert> {
    answer(alerts.open()).unwrap()
}

fn open_ids(alerts: &Alerts) -> Vec<String> {
    open(alerts).iter().map(|alert| alert.entity.id().to_owned()).collect()
}

fn fire(alerts: &Alerts, flow: &Arc<Flow>, severity: Severity) -> AlertChange {
    answer(alerts.fire(flow, severity)).unwrap()
}

fn resolve(alerts: &Alerts, flow: &Arc<Flow>) -> AlertChange {
    answer(alerts.resolve(flow)).unwrap()
}

#[test]
fn an_entity_has_at_most_one_open_alert_of_the_highest_severity() {
    let alerts = Alerts::new();
    let flows =
        [(1, Code::Internal), (2, Code::DataLoss), (3, Code::Unknown)].map(|(s, c)| flow_at(s, "1", c));
    assert_eq!(fire(&alerts, &flows[0], Severity::Warning), AlertChange::Opened);
    assert_eq!(fire(&alerts, &flows[1], Severity::Critical), AlertChange::Repeated);
    assert_eq!(fire(&alerts, &flows[2], Severity::Error), AlertChange::Repeated);
    let expected = Alert {
        entity: flows[0].entity(),
        environment: "test".into(),
        severity: Severity::Critical,
        code: Code::Unknown,
        message: "UNKNOWN".into(),
        count: 3,
        fired_at: at(1),
        last_fired_at: at(3),
        resolved_at: None,
        flow: flows[2].id(),
    };
    assert_eq!(open(&alerts), [expected]);
}

#[test]
fn a_flow_that_comes_again_is_not_counted_again() {
    let (alerts, flow) = (Alerts::new(), flow("1", Code::Internal));
    assert_eq!(fire(&alerts, &flow, Severity::Error), AlertChange::Opened);
    assert_eq!(fire(&alerts, &flow, Severity::Error), AlertChange::Repeated);
    assert_eq!(open(&alerts)[0].count, 1);
}

#[test]
fn a_resolved_alert_is_listed_and_the_next_one_is_new() {
    let alerts = Alerts::new();
    assert_eq!(resolve(&alerts, &flow("1", Code::Ok)), AlertChange::NotOpen);
    fire(&alerts, &flow("1", Code::Internal), Severity::Error);
    assert_eq!(resolve(&alerts, &flow("2", Code::Ok)), AlertChange::NotOpen);
    assert_eq!(resolve(&alerts, &flow_at(9, "1", Code::Ok)), AlertChange::Resolved);
    assert_eq!(resolve(&alerts, &flow("1", Code::Ok)), AlertChange::NotOpen);
    assert_eq!(open(&alerts), []);
    assert_eq!(answer(alerts.resolved(9)).unwrap()[0].resolved_at, Some(at(9)));
    assert_eq!(fire(&alerts, &flow("1", Code::Internal), Severity::Error), AlertChange::Opened);
    assert_eq!(open(&alerts)[0].count, 1);
}

#[test]
fn open_ones_are_by_first_firing_and_resolved_ones_newest_first() {
    let alerts = Alerts::new();
    for (second, id) in [(3, "c"), (1, "a"), (2, "b"), (9, "a")] {
        fire(&alerts, &flow_at(second, id, Code::Internal), Severity::Error);
    }
    assert_eq!(open_ids(&alerts), ["a", "b", "c"]);
    for id in ["b", "c", "a"] {
        resolve(&alerts, &flow(id, Code::Ok));
    }
    let resolved = answer(alerts.resolved(2)).unwrap();
    assert_eq!([resolved[0].entity.id(), resolved[1].entity.id()], ["a", "c"]);
}

#[test]
fn both_lists_are_bounded() {
    for capacity in [0, 1, 2] {
        let alerts = Alerts::with_capacity(capacity);
        let kept = capacity.max(1);
        let ids = ["1", "2", "3"];
        for (second, id) in (1..).zip(ids) {
            fire(&alerts, &flow_at(second, id, Code::Internal), Severity::Error);
        }
        assert_eq!(open_ids(&alerts), ids[3 - kept..]);
        assert_eq!(alerts.dropped(), 3 - kept as u64);
        for id in ids {
            fire(&alerts, &flow(id, Code::Internal), Severity::Error);
            resolve(&alerts, &flow(id, Code::Ok));
        }
        let resolved = answer(alerts.resolved(9)).unwrap();
        assert_eq!((resolved.len(), resolved[0].entity.id()), (kept, "3"));
    }
}

#[test]
fn concurrent_firing_opens_once_and_loses_nothing() {
    let alerts = Alerts::new();
    let fires = || {
        let opened =
            |_: &i32| fire(&alerts, &flow("1", Code::Internal), Severity::Error) == AlertChange::Opened;
        (0..500).filter(opened).count()
    };
    let opened: usize = std::thread::scope(|scope| {
        [scope.spawn(fires), scope.spawn(fires)].map(|thread| thread.join().unwrap()).iter().sum()
    });
    assert_eq!((opened, open(&alerts)[0].count), (1, 1000));
}

#[test]
fn firing_and_resolving_are_told_to_the_log() {
    let log = Log::default();
    let failed = [(); 4].map(|()| flow("1", Code::Internal));
    let resolved = flow("1", Code::Ok);
    let run = || {
        let alerts = Alerts::new();
        let severities = [Severity::Info, Severity::Warning, Severity::Error, Severity::Critical];
        for (flow, severity) in failed.iter().zip(severities) {
            fire(&alerts, flow, severity);
        }
        resolve(&alerts, &resolved);
        resolve(&alerts, &resolved);
    };
    tracing::subscriber::with_default(log.clone(), || {
        // Another test's thread, where nobody listens, may decide for all whether the first of each line is told.
        run();
        tracing::callsite::rebuild_interest_cache();
        log.0.lock().unwrap().clear();
        run();
    });

    let line = |severity: &str, count: usize| {
        let flow = failed[count - 1].id();
        format!(
            "INTERNAL; entity=users::user:1; code=INTERNAL; severity={severity}; flow={flow}; count={count}; "
        )
    };
    let end = format!(
        "resolved: INTERNAL; entity=users::user:1; code=OK; severity=critical; flow={}; count=4; ",
        resolved.id()
    );
    let expected = [
        (Level::INFO, line("info", 1)),
        (Level::WARN, line("warning", 2)),
        (Level::ERROR, line("error", 3)),
        (Level::ERROR, line("critical", 4)),
        (Level::INFO, end),
    ];
    assert_eq!(*log.0.lock().unwrap(), expected);
}

/// Level, message and fields of each event under our target.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(Level, String)>>>);

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "graceful::alert"
    }

    fn event(&self, event: &Event<'_>) {
        struct Fields(String);
        impl Visit for Fields {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                match field.name() {
                    "message" => self.0.insert_str(0, &format!("{value:?}; ")),
                    name => write!(self.0, "{name}={value:?}; ").unwrap(),
                }
            }
            fn record_str(&mut self, field: &Field, value: &str) {
                write!(self.0, "{}={value}; ", field.name()).unwrap();
            }
        }
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push((*event.metadata().level(), fields.0));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}
