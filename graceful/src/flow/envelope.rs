//! The envelope of an event as JSON. What an emitter sends is written from the flow, without copies.

use std::io::{self, Write as _};

use jiff::Timestamp;
use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeStruct as _},
};

use super::{Event, Flow};
use crate::key::encoded;

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let flow = &*self.0;
        let mut buffer = [0; TIME];
        let time = shown(&mut buffer, flow.at).map_err(S::Error::custom)?;
        let mut envelope = serializer.serialize_struct("Event", 10)?;
        envelope.serialize_field("specversion", "1.0")?;
        envelope.serialize_field("id", &flow.id)?;
        // The specification wants a URI reference.
        envelope.serialize_field("source", &format_args!("{}", encoded(self.source())))?;
        envelope.serialize_field("type", self.name())?;
        // A correlation id comes from the client, and must not be mistaken for an entity.
        if let Some(id) = flow.values.entity() {
            let subject = format_args!("{}/{}", encoded(flow.pattern()), encoded(id));
            envelope.serialize_field("subject", &subject)?;
        }
        envelope.serialize_field("time", time)?;
        // Encoded like the source, so that it contains only characters that every attribute may contain.
        if !flow.tenant().is_empty() {
            envelope.serialize_field("tenant", &format_args!("{}", encoded(flow.tenant())))?;
        }
        // The extension "Distributed Tracing".
        if let Some((trace, context)) = flow.context().and_then(|context| Some((context.trace?, context))) {
            envelope.serialize_field("traceparent", &trace)?;
            if let Some(state) = &context.trace_state {
                envelope.serialize_field("tracestate", state)?;
            }
        }
        envelope.serialize_field("datacontenttype", "application/json")?;
        envelope.serialize_field("data", &Data { event: self, time })?;
        envelope.end()
    }
}

/// The bytes of a time, at most.
const TIME: usize = 48;

/// Formats a time once for its two places in the envelope.
fn shown(buffer: &mut [u8; TIME], at: Timestamp) -> io::Result<&str> {
    let mut rest = &mut buffer[..];
    write!(rest, "{at}")?;
    let length = TIME - rest.len();
    str::from_utf8(&buffer[..length]).map_err(io::Error::other)
}

/// [`EventData`] as it serialises itself, without the copies that it makes for its user.
struct Data<'a> {
    event: &'a Event,
    time: &'a str,
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let flow = &*self.event.0;
        let mut data = serializer.serialize_struct("EventData", 13)?;
        match flow.context().and_then(|context| context.correlation_id.as_ref()) {
            Some(id) => data.serialize_field("correlation_id", id)?,
            None => data.serialize_field("correlation_id", &flow.id)?,
        }
        data.serialize_field("code", &flow.code)?;
        data.serialize_field("message", flow.message())?;
        data.serialize_field("result", self.event.result())?;
        data.serialize_field("metadata", &flow.metadata())?;
        data.serialize_field("yin_yang", yin_yang(flow))?;
        data.serialize_field("service", flow.service())?;
        data.serialize_field("entity_id", &flow.values.entity())?;
        data.serialize_field("timestamp", self.time)?;
        data.serialize_field("environment", flow.environment())?;
        data.serialize_field("actor_id", &flow.actor())?;
        data.serialize_field("request_id", &flow.context().and_then(|context| context.request_id.as_ref()))?;
        data.serialize_field("tags", &flow.declaration.tags)?;
        data.end()
    }
}

/// The arm, as consumers see it.
pub(super) const fn yin_yang(flow: &Flow) -> &'static str {
    if flow.ending.is_success() { "yang" } else { "yin" }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        code::Code,
        context::Context,
        flow::{CallOutcome, Declaration, Declared, Origin, Payload, Tags},
    };

    fn flow(context: Option<Context>) -> Flow {
        let declaration = Declaration {
            pattern: "user/\"".into(),
            event: "user_updated".into(),
            failed: "user_updated.failed".into(),
            tags: Tags::Static(&["a", "b"]),
            ..Declaration::default()
        };
        let origin = Origin { service: "users".into(), environment: "test".into() };
        let mut flow = Flow::begin(Declared::Owned(Arc::new(declaration)), Arc::new(origin));
        flow.context = context.map(Arc::new);
        flow.message = "said \"yes\"".into();
        flow
    }

    fn is_as_its_data(mut flow: Flow, ending: CallOutcome) {
        flow.end(ending);
        let event = Event::of(&Arc::new(flow)).unwrap();
        let json = event.to_json().unwrap();
        assert_eq!(json, serde_json::to_string(&event).unwrap());
        let data = serde_json::to_string(&event.data()).unwrap();
        assert!(json.ends_with(&format!("\"data\":{data}}}")), "{json} does not end with {data}");
    }

    #[test]
    fn data_of_a_success_is_that_of_the_event() {
        let mut success = flow(None);
        success.values.id = Some("4\"2".into());
        success.values.payload = Payload::of(&serde_json::json!({"a": [1.5, "\n"]})).unwrap();
        is_as_its_data(success, CallOutcome::Ok);
    }

    #[test]
    fn data_of_a_failure_with_context_is_that_of_the_event() {
        let context = Context::new().correlation_id("c").request_id("r").user("u").tenant("t");
        let mut failure = flow(Some(context));
        failure.code = Code::NotFound;
        is_as_its_data(failure, CallOutcome::Err);
    }
}
