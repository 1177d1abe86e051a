//! Counters and histograms, as a recorder of the `metrics` facade receives them.

use std::collections::BTreeMap;

use graceful::{Code, Step, orchestrate};
use graceful_tests::{Fault, Faulty, World, hooks};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

#[orchestrate(pattern = "user", cache = id, event = "user_seen", audit = hooks::fails, nexus = off)]
async fn handler(id: u64, error: Option<Code>) -> Result<u64, Code> {
    tokio::task::yield_now().await;
    error.map_or(Ok(id), Err)
}

/// What was measured while this ran: `name{label=value,…}` and how often.
fn measured(calls: impl AsyncFnOnce()) -> BTreeMap<String, usize> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(calls()));
    read(&snapshotter)
}

fn read(snapshotter: &Snapshotter) -> BTreeMap<String, usize> {
    let measures = snapshotter.snapshot().into_vec().into_iter().map(|(key, _, _, value)| {
        let key = key.key();
        let mut labels: Vec<_> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        labels.sort_unstable();
        let count = match value {
            DebugValue::Counter(count) => usize::try_from(count).unwrap(),
            DebugValue::Histogram(values) => {
                assert!(values.iter().all(|seconds| (0.0..60.0).contains(&seconds.0)));
                values.len()
            }
            DebugValue::Gauge(_) => panic!("there is no gauge"),
        };
        (format!("{}{{{}}}", key.name(), labels.join(",")), count)
    });
    measures.collect()
}

fn expected(measures: &[(&str, usize)]) -> BTreeMap<String, usize> {
    measures.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

/// The names of a step's two measures.
macro_rules! steps {
    ($arm:literal, $outcome:literal, $step:literal) => {
        (
            concat!(
                "graceful_steps_total{arm=",
                $arm,
                ",handler=handler,outcome=",
                $outcome,
                ",pattern=user,step=",
                $step,
                "}"
            ),
            concat!(
                "graceful_step_duration_seconds{arm=",
                $arm,
                ",handler=handler,pattern=user,step=",
                $step,
                "}"
            ),
        )
    };
}
/// Three calls update three entities, and no entity id becomes a label.
#[test]
fn success_flow_is_counted_and_timed_for_each_step() {
    let world = World::new();
    let seen = measured(async || {
        for id in 1..=3 {
            world.run(handler(id, None)).await.unwrap();
        }
    });
    let mut all = vec![
        ("graceful_flows_total{arm=ok,code=OK,ending=ok,handler=handler,pattern=user}", 3),
        ("graceful_flow_duration_seconds{arm=ok,handler=handler,pattern=user}", 3),
        ("graceful_steps_total{arm=ok,handler=handler,outcome=failed,pattern=user,step=audit}", 3),
        ("graceful_step_duration_seconds{arm=ok,handler=handler,pattern=user,step=audit}", 3),
    ];
    for (counter, histogram) in [
        steps!("ok", "done", "metadata"),
        steps!("ok", "done", "cache"),
        steps!("ok", "done", "graph"),
        steps!("ok", "done", "schedule"),
        steps!("ok", "done", "event"),
        steps!("ok", "done", "alert"),
    ] {
        all.extend([(counter, 3), (histogram, 3)]);
    }
    assert_eq!(seen, expected(&all));
}

#[test]
fn error_flow_is_counted_and_timed_for_each_step() {
    let world = World::new();
    let seen = measured(async || {
        world.run(handler(1, Some(Code::NotFound))).await.unwrap_err();
    });
    let mut all = vec![
        ("graceful_flows_total{arm=err,code=NOT_FOUND,ending=err,handler=handler,pattern=user}", 1),
        ("graceful_flow_duration_seconds{arm=err,handler=handler,pattern=user}", 1),
        ("graceful_steps_total{arm=err,handler=handler,outcome=failed,pattern=user,step=audit}", 1),
        ("graceful_step_duration_seconds{arm=err,handler=handler,pattern=user,step=audit}", 1),
    ];
    for (counter, histogram) in [
        steps!("err", "done", "metadata"),
        steps!("err", "done", "cache"),
        steps!("err", "done", "graph"),
        steps!("err", "skipped", "schedule"),
        steps!("err", "done", "event"),
        steps!("err", "skipped", "alert"),
    ] {
        all.extend([(counter, 1), (histogram, 1)]);
    }
    assert_eq!(seen, expected(&all));
}

#[test]
fn hanging_step_is_measured_at_its_time_limit() {
    let world = World::with(|builder| builder.cache(Faulty(Fault::Hangs)));
    let seen = measured(async || {
        world.run(handler(1, None)).await.unwrap();
    });
    assert!(world.last(Step::Cache).1.starts_with("FAILED"));
    assert_eq!(
        seen["graceful_steps_total{arm=ok,handler=handler,outcome=failed,pattern=user,step=cache}"],
        1
    );
    assert_eq!(seen["graceful_step_duration_seconds{arm=ok,handler=handler,pattern=user,step=cache}"], 1);
}

#[orchestrate(pattern = "user", id = 1, delivery = "background")]
async fn background(error: Option<Code>) -> Result<(), Code> {
    error.map_or(Ok(()), Err)
}

#[test]
fn background_flows_are_measured_once() {
    for (error, flow) in [
        (None, "graceful_flows_total{arm=ok,code=OK,ending=ok,handler=background,pattern=user}"),
        (
            Some(Code::Internal),
            "graceful_flows_total{arm=err,code=INTERNAL,ending=err,handler=background,pattern=user}",
        ),
    ] {
        let world = World::new();
        let seen = measured(async || {
            // In the runtime that measures.
            let orchestrator = world.backends.builder().build().unwrap();
            assert_eq!(orchestrator.scope(background(error)).await.err(), error);
            assert_eq!(orchestrator.shutdown(std::time::Duration::MAX).await, 0);
        });
        assert_eq!(seen[flow], 1);
        assert_eq!(seen.keys().filter(|name| name.starts_with("graceful_flow")).count(), 2);
    }
}
