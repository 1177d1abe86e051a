//! The catalogue as JSON.

use graceful::{
    Code,
    catalogue::{Catalogue, CataloguedHandler, ErrorCodes, PayloadType},
};
use serde_json::{Value, json};

use crate::schemas::{Direction, Schemas};

/// The handlers by identity, each with its place, and the definitions of the schemas.
///
/// ```
/// use graceful::catalogue::Catalogue;
/// assert_eq!(graceful_contract::to_json(&Catalogue::default())["handlers"], serde_json::json!([]));
/// ```
pub fn to_json(catalogue: &Catalogue) -> Value {
    let (mut emitted, mut read) = (Schemas::new(Direction::Emitted), Schemas::new(Direction::Read));
    let handlers: Vec<_> =
        catalogue.handlers().iter().map(|listed| handler(listed, &mut emitted, &mut read)).collect();
    json!({
        "handlers": handlers,
        "schemas": { "emitted": emitted.definitions(), "stored": read.definitions() },
    })
}

fn handler(listed: &CataloguedHandler, emitted: &mut Schemas, read: &mut Schemas) -> Value {
    let names = |steps: &[graceful::Step]| steps.iter().map(ToString::to_string).collect::<Vec<_>>();
    json!({
        "identity": listed.identity,
        "was": listed.was,
        "name": listed.name,
        "file": listed.file,
        "line": listed.line,
        "package": listed.package,
        "pattern": listed.pattern,
        "delivery": listed.delivery.as_str(),
        "idempotent": listed.is_idempotent,
        "subscribes": listed.subscribes,
        "receives": listed.receives.as_ref().map(|received| payload(received, read)),
        "async": !listed.is_sync,
        "reads": listed.reads,
        "writes": listed.writes(),
        "key": listed.key,
        "depends_on": listed.depends_on,
        "touches": listed.touches,
        "steps": { "declared": names(listed.declared), "required": names(listed.required) },
        "event": listed.event.as_ref().map(|event| json!({
            "name": event.name,
            "failed": event.failed,
            "payload": payload(&event.payload, emitted),
        })),
        "stored": listed.stored.as_ref().map(|stored| payload(stored, read)),
        "codes": codes(&listed.codes),
    })
}

fn payload(of: &PayloadType, schemas: &mut Schemas) -> Value {
    match (of, schemas.schema(of)) {
        (PayloadType::Opaque(reason), _) => json!({ "opaque": reason }),
        (_, Some(schema)) => json!({ "schema": schema }),
        (_, None) => json!({ "unchecked": "it does not implement `schemars::JsonSchema`" }),
    }
}

fn codes(codes: &ErrorCodes) -> Value {
    let own = codes.own().iter();
    let own: Vec<_> = own
        .map(|own| json!({ "code": own.code.as_str(), "message": own.message.unwrap_or(own.code.text()) }))
        .collect();
    let wrapped: Vec<_> = codes.through_wrapped().map(Code::as_str).collect();
    json!({ "own": own, "through_wrapped": wrapped, "any": codes.is_any() })
}
