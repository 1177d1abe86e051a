//! A value that could not be read back is refused by the step that needs it, and nothing is written.

use graceful::{Code, Step, backends::KeySpace, orchestrate};
use graceful_tests::{World, values::nested};
use serde_json::{Value, json};

#[orchestrate(pattern = "user", id = 42, metadata = json!({"deep": deep}))]
async fn annotate(deep: Value) -> Result<(), Code> {
    let _ = &deep;
    Ok(())
}

#[orchestrate(pattern = "user", cache = 42, event = "measured", fallback = last_good)]
async fn measure(value: f64) -> Result<Vec<f64>, Code> {
    Ok(vec![value])
}

#[orchestrate(pattern = "user", cache = 42, event = "measured")]
async fn nest(value: Value) -> Result<Value, Code> {
    Ok(value)
}

#[tokio::test]
async fn metadata_nested_too_deep_fails_the_step_and_no_later_one() {
    let world = World::new();
    world.run(annotate(nested(99))).await.unwrap();
    assert!(!world.last(Step::Metadata).1.starts_with("FAILED"));
    for levels in [100, 127, 1_000] {
        world.run(annotate(nested(levels))).await.unwrap();
        let why = "FAILED: `metadata` cannot be serialised: it is nested deeper than 100 levels";
        assert_eq!(world.last(Step::Metadata).1, why, "{levels}");
    }
    world.run(annotate(json!(1))).await.unwrap();
    let metadata = world.metadata(&world.entity()).await.unwrap();
    // It is what every store writes.
    let written = serde_json::to_string(&*metadata).unwrap();
    assert_eq!(serde_json::from_str::<graceful::Metadata>(&written).unwrap(), *metadata);
}

#[tokio::test]
async fn payload_nested_too_deep_fails_cache_and_event() {
    let world = World::new();
    world.run(nest(nested(100))).await.unwrap();
    assert_eq!(world.last(Step::Cache).1, "put");
    world.run(nest(nested(101))).await.unwrap();
    for step in [Step::Cache, Step::Event] {
        let why = "FAILED: the payload cannot be serialised: it is nested deeper than 100 levels";
        assert_eq!(world.last(step).1, why);
    }
    assert_eq!((world.cached(&world.entity()).await, world.events().len()), (None, 1));
}

#[tokio::test]
async fn number_that_is_not_finite_does_not_replace_the_last_good_value() {
    let world = World::new();
    world.run(measure(1.5)).await.unwrap();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(world.run(measure(value)).await.unwrap().len(), 1);
        for step in [Step::Fallback, Step::Cache, Step::Event] {
            let why =
                format!("FAILED: the payload cannot be serialised: JSON cannot express the number {value}");
            assert_eq!(world.last(step).1, why);
        }
    }
    let last_good = world.cached(&world.entity().in_space(KeySpace::LastGood)).await.unwrap();
    assert_eq!(last_good.value.as_json(), "[1.5]");
    assert_eq!((world.cached(&world.entity()).await, world.events().len()), (None, 1));
}

#[tokio::test]
async fn float_is_read_back_equal() {
    let (world, mut dice) = (World::new(), fastrand::Rng::with_seed(7));
    for _ in 0..1_000 {
        let value = f64::from_bits(dice.u64(..));
        if value.is_finite() {
            world.run(measure(value)).await.unwrap();
            let read = world.orchestrator.cached::<Vec<f64>>("user", 42).await.unwrap().unwrap();
            assert_eq!(read[0].to_bits(), value.to_bits());
        }
    }
}
