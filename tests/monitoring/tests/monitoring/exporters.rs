//! The ways in which a service exports its metrics.

use axum::{Router, routing::get};
use metrics::Unit;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_opentelemetry::{OpenTelemetryMetrics, OpenTelemetryRecorder};
use metrics_util::{
    MetricKind,
    debugging::{DebuggingRecorder, Snapshotter},
    layers::FanoutBuilder,
};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};

/// By histograms with buckets, as `docs/monitoring/README.md` says; by OpenTelemetry, whose exporters make names of their own; and by summaries,
/// which is what an exporter without buckets makes of histograms.
pub const JOBS: [&str; 3] = ["buckets", "opentelemetry", "summaries"];

const BUCKETS: [f64; 6] = [0.001, 0.01, 0.1, 1.0, 10.0, 60.0];

/// Installs a recorder for all of them, and one that can be looked into. Each job is served at a path with its name.
pub fn install() -> (Router, Snapshotter) {
    let looked_into = DebuggingRecorder::new();
    let snapshotter = looked_into.snapshotter();
    let suffix = Matcher::Suffix("_duration_seconds".to_owned());
    let buckets = PrometheusBuilder::new().set_buckets_for_metric(suffix, &BUCKETS).unwrap().build_recorder();
    let summaries = PrometheusBuilder::new().build_recorder();
    let registry = Registry::new();
    // By OpenTelemetry's rules nothing is appended to a name that has it. This exporter appends it twice, unless it is told to append nothing.
    let exporter = opentelemetry_prometheus::exporter().without_counter_suffixes().without_units();
    let reader = exporter.with_registry(registry.clone()).build().unwrap();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    let otel = OpenTelemetryRecorder::new(OpenTelemetryMetrics::new(provider.meter("graceful")));
    let histograms = ["graceful_flow_duration_seconds", "graceful_step_duration_seconds"];
    otel.set_histogram_bounds(histograms.into_iter(), &BUCKETS);

    let routes = Router::new()
        .route("/buckets", rendered(buckets.handle()))
        .route("/summaries", rendered(summaries.handle()))
        .route(
            "/opentelemetry",
            get(async move || {
                let _provider = &provider;
                TextEncoder::new().encode_to_string(&registry.gather()).unwrap()
            }),
        );
    let all = FanoutBuilder::default()
        .add_recorder(buckets)
        .add_recorder(summaries)
        .add_recorder(otel)
        .add_recorder(looked_into);
    metrics::set_global_recorder(all.build()).unwrap_or_else(|_| panic!("it is the only recorder"));
    (routes, snapshotter)
}

/// OpenTelemetry's rules append `_total` to a counter, and the unit to all, where a name does not have them; "1" becomes `_ratio`. And in
/// `OpenMetrics` the name of a counter is the one without `_total`, which no other metric may have.
pub fn names_are_those_of_opentelemetry(snapshotter: &Snapshotter) {
    let metrics = snapshotter.snapshot().into_vec();
    let is_counter = |kind| kind == MetricKind::Counter;
    assert!(metrics.iter().any(|(key, ..)| is_counter(key.kind())));
    for (key, unit, description, _) in &metrics {
        let (kind, name) = (key.kind(), key.key().name());
        assert!(description.as_ref().is_some_and(|text| text.ends_with('.')), "{name}: {description:?}");
        assert_eq!(is_counter(kind), name.ends_with("_total"), "{name}");
        match unit {
            None => assert!(!name.ends_with("_seconds"), "{name}"),
            Some(Unit::Seconds) => assert!(name.ends_with("_seconds"), "{name}"),
            Some(unit) => panic!("{name} has the unit {unit:?}"),
        }
        let family = name.trim_end_matches("_total");
        let same = metrics.iter().find(|(other, ..)| other.kind() != kind && other.key().name() == family);
        assert!(same.is_none(), "{name} and {same:?}");
    }
}

fn rendered(handle: PrometheusHandle) -> axum::routing::MethodRouter {
    get(async move || handle.render())
}
