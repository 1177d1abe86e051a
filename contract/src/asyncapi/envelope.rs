//! The CloudEvents envelope as a schema, inlined in each message.

use std::collections::BTreeSet;

use graceful::{Code, backends::encoded};
use serde_json::{Value, json};

/// The content type of an event.
pub(super) const CONTENT_TYPE: &str = "application/cloudevents+json";

/// The schema of an event in structured JSON.
pub(super) fn envelope(
    service: &str,
    event: &str,
    patterns: &BTreeSet<&str>,
    arms: &BTreeSet<&str>,
    result: &Value,
) -> Value {
    let subjects: Vec<_> = patterns.iter().map(|pattern| encoded(pattern).to_string()).collect();
    let can_fail = arms.contains("yin");
    // `OK` comes last, because readers of the document show the first value as an example. A type of errors could have that code, too.
    let codes = Code::ALL.iter().skip(1).filter(|_| can_fail).chain([&Code::Ok]);
    let codes: Vec<_> = codes.map(|code| code.as_str()).collect();
    let text = || json!({ "type": "string" });
    let optional = || json!({ "type": ["string", "null"] });
    let id = || json!({ "type": "string", "format": "uuid" });
    json!({
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time", "datacontenttype", "data"],
        "properties": {
            "specversion": { "const": "1.0" },
            "id": id(),
            "source": { "const": encoded(service).to_string() },
            "type": { "const": event },
            "subject": {
                "type": "string",
                "description": format!("The entity: `{}` and its id, percent-encoded.", subjects.join("` or `")),
            },
            "time": { "type": "string", "format": "date-time" },
            "datacontenttype": { "const": "application/json" },
            "tenant": text(),
            "traceparent": text(),
            "tracestate": text(),
            "data": {
                "type": "object",
                "required": ["code", "message", "result", "yin_yang", "correlation_id", "service", "timestamp", "environment", "tags"],
                "properties": {
                    "code": { "enum": codes },
                    "message": text(),
                    "result": result,
                    "metadata": { "type": ["object", "null"] },
                    "yin_yang": { "enum": arms },
                    "correlation_id": text(),
                    "service": { "const": service },
                    "entity_id": optional(),
                    "timestamp": { "type": "string", "format": "date-time" },
                    "environment": text(),
                    "actor_id": optional(),
                    "request_id": optional(),
                    "tags": { "type": "array", "items": text() },
                },
            },
        },
    })
}
