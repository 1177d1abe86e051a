//! The shapes of subscribers: each handles the event of one entity.

use std::{sync::Arc, time::Duration};

use graceful::{
    Code, EventData, Orchestrator, State, StepError,
    backends::{Inserting, QueuedFlow, ReceivedEvent, Transaction, memory},
    orchestrate, subscribe,
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

#[derive(Serialize)]
struct Shape {
    corners: u64,
}

#[orchestrate(pattern = "shape", id = corners, event = "shape_changed")]
async fn change(corners: u64) -> Result<Shape, Code> {
    Ok(Shape { corners })
}

/// The part of the value that the subscribers need.
#[derive(Deserialize)]
struct Corners {
    corners: u64,
}

type Handled = UnboundedSender<String>;
type Answer<T = ()> = Result<T, Code>;
type Raw = Arc<ReceivedEvent>;

fn handled(by: &Handled, name: &str, corners: u64) -> Answer {
    by.send(format!("{name} {corners}")).map_err(|_| Code::Internal)
}

/// Runs the subscribers of a module until so many have handled the event; returns what they sent, sorted.
async fn run(path: &str, count: usize) -> Vec<String> {
    let log = memory::EventLog::new();
    let orchestrator = Orchestrator::builder().service("shapes").events(log).in_memory().build().unwrap();
    orchestrator.scope(change(4)).await.unwrap();
    let (by, mut received): (Handled, UnboundedReceiver<String>) = unbounded_channel();
    let mut all = Vec::new();
    let until = async {
        while all.len() < count {
            all.push(received.recv().await.unwrap());
        }
    };
    let run = orchestrator.subscribers().only(path).provide(by).run_until(until);
    tokio::time::timeout(Duration::from_secs(60), run).await.expect("an event is not handled").unwrap();
    all.sort();
    all
}

mod plain {
    use std::future::Future;

    use graceful::subscribe;

    use super::{Answer, Code, Corners, EventData, Handled, Raw, State, handled};
    use crate::shapes::reexport;

    #[subscribe(event = "shape_changed", pattern = "shape", from = "start")]
    async fn event_first(event: EventData<Corners>, State(by): State<Handled>) -> Result<(), Code> {
        handled(&by, "event_first", event.result.corners)
    }

    #[subscribe(
        event = "shape_changed",
        pattern = "shape",
        from = "start",
        attempts = 1_000,
        timeout = "10s",
        service = "shapes"
    )]
    pub(super) async fn event_last(by: State<Handled>, event: EventData<Corners>) -> Answer {
        handled(&by.0, "event_last", event.result.corners)
    }

    #[graceful::subscribe(event = "shape_changed", pattern = "shape", from = "start", id = corners)]
    async fn pattern_parameters(
        EventData { result: Corners { corners }, .. }: EventData<Corners>,
        State(by): State<Handled>,
    ) -> Answer {
        handled(&by, "pattern_parameters", corners)
    }

    #[subscribe(event = "shape_changed", pattern = "shape", from = "start")]
    async fn raw_event(event: Raw, State(by): State<Handled>, _: EventData<Corners>) -> Answer {
        assert_eq!(event.name, "shape_changed");
        handled(&by, "raw_event", 4)
    }

    #[subscribe(event = "shape_changed", pattern = "shape", from = "start")]
    async fn r#type(mut event: EventData<Corners>, State(by): State<Handled>) -> Answer {
        event.result.corners += 1;
        handled(&by, "type", event.result.corners)
    }

    #[subscribe(event = "shape_changed", pattern = "shape", from = "start", crate = reexport)]
    async fn reexported(event: EventData<Corners>, State(by): State<Handled>) -> Answer {
        handled(&by, "reexported", event.result.corners)
    }

    const CHANGED: &str = "shape_changed";
    const SHAPE: &str = "shape";

    #[subscribe(event = CHANGED, pattern = SHAPE, from = "start")]
    async fn constants(event: EventData<Corners>, State(by): State<Handled>) -> Answer {
        handled(&by, "constants", event.result.corners)
    }

    #[subscribe(event = "shape_changed", pattern = "shape", from = "start")]
    async fn not_send(event: EventData<Corners>, State(by): State<Handled>) -> Answer {
        let corners = std::rc::Rc::new(event.result.corners);
        tokio::task::yield_now().await;
        handled(&by, "not_send", *corners)
    }

    #[subscribe(event = "shape_changed", pattern = "shape", from = "start", cache(key = event.result.corners, on_ok = "invalidate"), audit = off)]
    async fn opaque_answer(
        event: EventData<Corners>,
        State(by): State<Handled>,
    ) -> Result<impl Future<Output = u8> + Send, Code> {
        handled(&by, "opaque_answer", event.result.corners)?;
        Ok(async { 1 })
    }

    #[subscribe(event = "shape_changed", pattern = "shape", from = "start")]
    #[cfg(any())]
    async fn absent(event: EventData<Absent>) -> Answer {
        Ok(())
    }

    #[cfg_attr(all(), subscribe(event = "shape_changed", pattern = "shape", from = "start"))]
    #[cfg_attr(all(), cfg(all()), allow(clippy::unused_async))]
    async fn present(
        event: EventData<Corners>,
        State(by): State<Handled>,
        #[cfg(any())] absent: Absent,
        #[cfg(not(any()))] present: Raw,
    ) -> Answer {
        drop(present);
        handled(&by, "present", event.result.corners)
    }
}

#[tokio::test]
async fn subscriber_of_any_shape_handles_the_event() {
    let expected = [
        "constants 4",
        "event_first 4",
        "event_last 4",
        "not_send 4",
        "opaque_answer 4",
        "pattern_parameters 4",
        "present 4",
        "raw_event 4",
        "reexported 4",
        "type 5",
    ];
    let path = concat!(module_path!(), "::plain");
    assert_eq!(run(path, expected.len()).await, expected);
}

#[tokio::test]
async fn subscriber_is_still_a_function() {
    let (by, mut received) = unbounded_channel();
    let json = r#"{"code": "OK", "message": "", "result": {"corners": 3}, "yin_yang": "yang", "correlation_id": "c", "service": "s",
        "timestamp": "2026-01-01T00:00:00Z"}"#;
    plain::event_last(State(by), serde_json::from_str(json).unwrap()).await.unwrap();
    assert_eq!(received.recv().await.unwrap(), "event_last 3");
}

#[tokio::test]
async fn subscriber_in_a_function_handles_the_event() {
    #[subscribe(event = "shape_changed", pattern = "shape", from = "start", name = "shapes::in_a_function")]
    async fn inner(event: EventData<Local>, State(by): State<Handled>) -> Answer {
        handled(&by, "inner", event.result.corners)
    }

    #[derive(Deserialize)]
    struct Local {
        corners: u64,
    }

    assert_eq!(run("shapes::in_a_function", 1).await, ["inner 4"]);
}

mod by_macro {
    use super::{Answer, Corners, EventData, Handled, State, handled, subscribe};

    macro_rules! subscriber {
        ($name:ident, $event:literal, $parameter:ty, $answer:ty, $body:block, $event_of:ident, $by:ident) => {
            #[subscribe(event = $event, pattern = "shape", from = "start", id = $event_of.result.corners)]
            async fn $name($event_of: $parameter, State($by): State<Handled>) -> $answer $body
        };
    }

    macro_rules! passed_on {
        ($item:item) => {
            #[subscribe(event = "shape_changed", pattern = "shape", from = "start")]
            $item
        };
    }

    macro_rules! type_of_the_event {
        () => { EventData<Corners> };
    }

    subscriber!(
        made,
        "shape_changed",
        EventData<Corners>,
        Answer,
        { handled(&by, "made", event.result.corners) },
        event,
        by
    );

    passed_on! {
        async fn passed(event: type_of_the_event!(), State(by): State<Handled>) -> Answer {
            handled(&by, "passed", event.result.corners)
        }
    }
}

#[tokio::test]
async fn subscriber_made_by_a_macro_handles_the_event() {
    let path = concat!(module_path!(), "::by_macro");
    assert_eq!(run(path, 2).await, ["made 4", "passed 4"]);
}

struct Store;

#[derive(Debug)]
struct Open<'a>(&'a str);

impl Transaction<Store> for Open<'_> {
    fn insert(&mut self, _: QueuedFlow) -> Inserting<'_> {
        Box::pin(async { Ok(()) })
    }

    fn lock(&mut self) -> Option<Inserting<'_>> {
        None
    }

    fn locks_all(&self) -> bool {
        false
    }
}

mod with_tx {
    use super::{Corners, EventData, Handled, Open, State, StepError, subscribe};

    #[subscribe(event = "shape_changed", pattern = "shape", tx = tx, was = "shapes::old")]
    async fn project(
        tx: &mut Open<'_>,
        event: EventData<Corners>,
        State(by): State<Handled>,
    ) -> Result<(), StepError> {
        let _ = (tx.0.len(), event, by);
        Ok(())
    }

    #[subscribe(event = "shape_changed", pattern = "shape", tx = tx)]
    async fn of_static(event: EventData<Corners>, tx: &mut Open<'static>) -> Result<(), StepError> {
        if event.result.corners == 0 {
            tx.0 = "none";
        }
        Ok(())
    }
}

#[tokio::test]
async fn subscriber_with_tx_names_its_type_and_needs_at_the_start() {
    let log = memory::EventLog::new();
    let orchestrator = Orchestrator::builder().events(log).in_memory().build().unwrap();
    let refused =
        orchestrator.subscribers().only(concat!(module_path!(), "::with_tx")).run().await.unwrap_err();
    let reasons = refused.reasons().join("\n");
    assert_eq!(refused.reasons().len(), 3, "{reasons}");
    assert!(reasons.contains("::with_tx::project` ("), "{reasons}");
    assert!(reasons.contains("a parameter `State<"), "{reasons}");
    assert_eq!(reasons.matches("has `tx` of type `").count(), 2, "{reasons}");
}
