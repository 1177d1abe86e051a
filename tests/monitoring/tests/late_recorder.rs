//! A recorder that is installed after the orchestrator. This is a program of its own, because a process has one installed orchestrator.
#![allow(missing_docs, reason = "tests")]

use std::{collections::BTreeMap, time::Duration};

use graceful::{Code, Orchestrator, backends::memory, orchestrate};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

#[orchestrate(pattern = "payment", id = id, delivery = "durable")]
async fn pay(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "customer", cache(key = id, read, unwritten))]
async fn read(id: u64) -> Result<u64, Code> {
    Ok(id)
}

/// The gauges and the counters by name, labels and value.
fn measured(snapshotter: &Snapshotter) -> BTreeMap<String, f64> {
    let metrics = snapshotter.snapshot().into_vec().into_iter();
    let values = metrics.filter_map(|(key, _, _, value)| {
        let key = key.key();
        let labels: Vec<_> =
            key.labels().map(|label| format!(",{}={}", label.key(), label.value())).collect();
        let value = match value {
            DebugValue::Gauge(value) => value.0,
            DebugValue::Counter(0) => 0.0,
            DebugValue::Counter(count) => panic!("{key} counts {count}, and nothing has happened"),
            DebugValue::Histogram(_) => return None,
        };
        Some((format!("{}{}", key.name(), labels.concat()), value))
    });
    values.collect()
}

#[test]
fn recorder_that_comes_after_the_orchestrator_gets_gauges_and_counters_at_the_next_sample() {
    // They are only registered.
    let _ = (pay(1), read(1));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let builder = Orchestrator::builder().flows(memory::Flows::new()).background_queue(20).in_memory();
    let orchestrator = runtime.block_on(async { builder.build().unwrap() });
    orchestrator.install().unwrap();
    // The first sample, for nobody.
    let pass = |time| runtime.block_on(async move { tokio::time::sleep(time).await });
    pass(Duration::from_millis(1));

    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || pass(Duration::from_secs(11)));
    let measured = measured(&snapshotter);

    let gauges: BTreeMap<_, _> = measured
        .iter()
        .filter(|(name, _)| !name.contains("_total"))
        .map(|(name, value)| (&**name, *value))
        .collect();
    let expected = [
        ("graceful_attempts_running", 0.0),
        ("graceful_background_capacity", 24.0),
        ("graceful_background_flows", 0.0),
        ("graceful_cache_unended_writes", 0.0),
        ("graceful_flows_dead", 0.0),
        ("graceful_flows_queued", 0.0),
        ("graceful_flows_running", 0.0),
        ("graceful_oldest_due_seconds", 0.0),
        ("graceful_pauses,target=handler", 0.0),
        ("graceful_pauses,target=relays", 0.0),
        ("graceful_pauses,target=subscriber", 0.0),
        ("graceful_store_up", 1.0),
        ("graceful_unknown_handlers", 0.0),
    ];
    assert_eq!(gauges, BTreeMap::from(expected));
    for counter in [
        "graceful_dead_letters_total,handler=pay",
        "graceful_dead_letters_total,handler=_OTHER",
        "graceful_flows_total,handler=read,pattern=customer,arm=ok,ending=ok,code=OK",
        "graceful_flows_total,handler=read,pattern=customer,arm=err,ending=err,code=UNAVAILABLE",
        "graceful_flows_total,handler=pay,pattern=payment,arm=err,ending=panicked,code=INTERNAL",
        "graceful_flows_total,handler=pay,pattern=payment,arm=err,ending=cancelled,code=CANCELLED",
        "graceful_steps_total,handler=pay,pattern=payment,step=audit,arm=ok,outcome=failed",
        "graceful_cache_total,pattern=customer,outcome=unconfirmed",
    ] {
        assert!(measured.contains_key(counter), "{counter} is not in {measured:#?}");
    }
    assert!(
        !measured.contains_key("graceful_dead_letters_total,handler=read"),
        "its delivery is not durable"
    );
}
