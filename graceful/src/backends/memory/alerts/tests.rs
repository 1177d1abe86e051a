use std::fmt::Write as _;

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use super::{
    super::testing::{answer, flow, flow_at},
    *,
};
use crate::code::Code;

fn open(alerts: &Alerts) -> Vec<Alert> {
    answer(alerts.open(IncidentFilter::default(), None, usize::MAX)).unwrap().items
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
fn open_and_resolved_alerts_are_bounded() {
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
fn firing_and_resolving_are_logged() {
    let log = Log::default();
    let failed = [(); 4].map(|()| {
        let mut flow = of_handler(flow("1", Code::Internal));
        Arc::make_mut(&mut flow).message = "INTERNAL\nforged".into();
        flow
    });
    let resolved = of_handler(flow("1", Code::Ok));
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
            "INTERNAL\\nforged; entity=users::user:1; handler=update_user; code=INTERNAL; severity={severity}; flow={flow}; count={count}; "
        )
    };
    let end = format!(
        "resolved: INTERNAL\\nforged; entity=users::user:1; handler=update_user; code=OK; severity=critical; flow={}; count=4; ",
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

fn of_handler(mut flow: Arc<Flow>) -> Arc<Flow> {
    Arc::make_mut(&mut flow).declaration.to_mut().handler = "update_user".into();
    flow
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
