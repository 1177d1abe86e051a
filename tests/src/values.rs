//! Values of all kinds, on their way through an orchestrator and back.

use fastrand::Rng;
use graceful::{Code, Delivery, OrchestrationConfig, OrchestratorBuilder, Success, backends::memory};
use serde_json::{Value, json};

use crate::gate::awaited;

/// Arrays and objects in turn, so many levels of them.
pub fn nested(levels: usize) -> Value {
    (0..levels)
        .fold(json!(0.1), |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({"a": inner}) })
}

/// What may be in a value, at random, but for what JSON cannot hold.
fn random(dice: &mut Rng, levels: usize) -> Value {
    match dice.u8(..if levels == 0 { 7 } else { 9 }) {
        0 => Value::Null,
        1 => json!(dice.bool()),
        2 => json!(dice.u64(..)),
        3 => json!(dice.i64(..)),
        4 | 5 => {
            let number = f64::from_bits(dice.u64(..));
            if number.is_finite() { json!(number) } else { json!(dice.f64()) }
        }
        6 => json!((0..dice.usize(..20)).map(|_| dice.char(..)).collect::<String>()),
        7 => (0..dice.usize(..5)).map(|_| random(dice, levels - 1)).collect(),
        _ => (0..dice.usize(..5))
            .map(|_| (dice.char(..).to_string(), random(dice, levels - 1)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

/// Writes values through durable flows, and reads them back from whatever was given of a store: event, cache, metadata and
/// audit record.
pub async fn come_back(builder: OrchestratorBuilder) {
    let events = memory::Events::new();
    let mut inbox = events.subscribe();
    let orchestrator = builder.service("values").events(events).in_memory().build().unwrap();
    let mut dice = Rng::with_seed(5);
    let floats: Vec<_> = (0..500).map(|_| dice.f64()).collect();
    let mut values = vec![nested(99), json!(floats), json!("\0\u{10ffff}\\\"\n"), json!(["\\0"])];
    values.extend((0..40).map(|_| random(&mut dice, 4)));
    for (id, value) in values.iter().enumerate() {
        let config = OrchestrationConfig::new("value").id(id).cache_key(id).event("value_written");
        let config = config.metadata(&json!({"value": value})).audit_payload();
        let config = config.delivery(Delivery::Durable).on(&orchestrator);
        Success::wrap(Code::Ok, "value written", value).orchestrate(&config).await;

        let event = awaited(inbox.recv()).await.unwrap();
        let entity = orchestrator.key("value", id);
        assert_eq!(event.flow().entity(), entity);
        assert_eq!(event.data().result.decode::<Value>().unwrap(), *value);
        if !value.is_null() {
            let cached = orchestrator.cached::<Value>("value", id).await.unwrap();
            assert_eq!(cached.as_ref(), Some(value));
        }
        let metadata = orchestrator.metadata().unwrap().latest(&entity).await.unwrap().unwrap();
        assert_eq!(metadata.fields["value"], *value);
    }
    // Steps of one flow run at the same time, so a record may come after its event.
    let audit = orchestrator.audit().unwrap();
    crate::gate::until(|| async { audit.records(None, usize::MAX).await.unwrap().len() == values.len() })
        .await;
    for record in audit.records(None, usize::MAX).await.unwrap() {
        let value = &values[record.entity.id().parse::<usize>().unwrap()];
        let recorded = record.payload.map_or(Value::Null, |payload| payload.decode().unwrap());
        assert_eq!(recorded, *value);
    }
    orchestrator.shutdown(std::time::Duration::from_secs(60)).await;
}
