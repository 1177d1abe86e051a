//! An event that a handler is about to get.

use std::{
    any::type_name,
    cell::{Cell, OnceCell},
    fmt,
    sync::Arc,
};

use serde::de::DeserializeOwned;

use super::event_data::{EventData, Provided};
use crate::{
    backends::{Envelope, ReceivedEvent},
    context::Context,
    step::StepError,
    text::{Text, text},
};

/// An event for one attempt. Its JSON is parsed for the first parameter that needs it.
pub struct Incoming<'a> {
    json: &'a [u8],
    whole: OnceCell<Arc<ReceivedEvent>>,
    about: Cell<Option<About>>,
    pub(super) provided: &'a Provided,
}

/// What the handler is called in.
pub(super) struct About {
    pub(super) context: Context,
    /// The id of the event's entity.
    pub(super) entity: Option<Text>,
}

impl<'a> Incoming<'a> {
    pub(super) fn of_json(json: &'a [u8], provided: &'a Provided) -> Self {
        Self { json, whole: OnceCell::new(), about: Cell::new(None), provided }
    }

    pub(super) fn of_event(event: Arc<ReceivedEvent>, provided: &'a Provided) -> Self {
        Self { whole: event.into(), ..Self::of_json(&[], provided) }
    }

    /// The event.
    ///
    /// # Errors
    /// Fails if it is no `CloudEvent`.
    pub(super) fn whole(&self) -> Result<&Arc<ReceivedEvent>, StepError> {
        if let Some(event) = self.whole.get() {
            return Ok(event);
        }
        // One check of all texts is quicker than one of each.
        let parsed = match str::from_utf8(self.json) {
            Ok(json) => serde_json::from_str(json),
            Err(_) => serde_json::from_slice(self.json),
        };
        let event = parsed.map_err(|error| StepError::refused(text!("not a CloudEvent: {error}")))?;
        Ok(self.whole.get_or_init(|| Arc::new(event)))
    }

    /// The data of the event.
    ///
    /// # Errors
    /// Fails if it has another form.
    pub(super) fn data<T: DeserializeOwned>(&self) -> Result<EventData<T>, StepError> {
        if let Some(data) = self.at_once() {
            return Ok(data);
        }
        self.whole()?.data.decode().map_err(|error| {
            let wanted = type_name::<T>();
            StepError::refused(text!("the event is no `EventData<{wanted}>`: {error}"))
        })
    }

    /// Parses the event and its data together, which is quicker. `None` if something is wrong, or the event is parsed already.
    fn at_once<T: DeserializeOwned>(&self) -> Option<EventData<T>> {
        if self.whole.get().is_some() {
            return None;
        }
        let json = str::from_utf8(self.json).ok()?;
        let mut envelope: Envelope<'_, EventData<T>> = serde_json::from_str(json).ok()?;
        let data = envelope.data.take().filter(|_| envelope.fault().is_none())?;
        let context = envelope.context(Some(data.correlation_id.clone()));
        self.about.set(Some(About { context, entity: envelope.entity_id() }));
        Some(data)
    }

    /// What the handler is called in.
    ///
    /// # Errors
    /// As [`whole`](Self::whole).
    pub(super) fn about(&self) -> Result<About, StepError> {
        if let Some(about) = self.about.take() {
            return Ok(about);
        }
        let event = self.whole()?;
        Ok(About { context: event.context.clone(), entity: event.entity_id() })
    }
}

impl fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("event", &self.whole.get()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event whose data follows these attributes.
    fn json(attributes: &str, result: &str) -> String {
        let data = format!(
            r#"{{"code": "OK", "message": "m", "result": {result}, "yin_yang": "yang", "correlation_id": "c", "service": "s",
                "timestamp": "2026-01-01T00:00:00Z"}}"#
        );
        format!(r#"{{{attributes}, "data": {data}, "tenant": "a%2Fb"}}"#)
    }

    const ATTRIBUTES: &str = r#""specversion": "1.0", "id": "7", "source": "s", "type": "t", "subject": "user/4%2F2",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "a=1""#;

    #[test]
    fn event_and_data_are_the_same_together_and_one_after_the_other() {
        let (json, provided) = (json(ATTRIBUTES, "7"), Provided::default());
        let [together, apart] = [(); 2].map(|()| Incoming::of_json(json.as_bytes(), &provided));
        apart.whole().unwrap();
        assert_eq!(together.data::<u8>().unwrap(), apart.data::<u8>().unwrap());
        assert!(together.whole.get().is_none(), "parsed twice");
        let [together, apart] = [together, apart].map(|event| event.about().unwrap());
        assert_eq!(together.context, apart.context);
        let of_context = (apart.context.tenant.as_deref(), apart.context.correlation_id.as_deref());
        assert_eq!(of_context, (Some("a/b"), Some("c")));
        assert!(apart.context.trace_state.is_some());
        assert_eq!((together.entity.as_deref(), apart.entity.as_deref()), (Some("4/2"), Some("4/2")));
    }

    #[test]
    fn error_tells_whether_the_event_or_its_data_is_wrong() {
        let with = |from: &str, to: &str| json(&ATTRIBUTES.replace(from, to), "7");
        for (json, why) in [
            (with("1.0", "0.3"), "not a CloudEvent: its `specversion` is not 1.0"),
            (with(r#""id": "7""#, r#""id": """#), "not a CloudEvent: its `id`, `source` or `type` is empty"),
            (with(r#""id": "7", "#, ""), "not a CloudEvent: missing field `id`"),
            (
                json(ATTRIBUTES, "300"),
                "the event is no `EventData<u8>`: invalid value: integer `300`, expected u8",
            ),
            (format!("{{{ATTRIBUTES}}}"), "the event is no `EventData<u8>`: invalid type: null"),
        ] {
            let provided = Provided::default();
            let error = Incoming::of_json(json.as_bytes(), &provided).data::<u8>().unwrap_err();
            assert!(error.message().starts_with(why), "{json}: {error}");
            assert_eq!(error.kind(), crate::step::StepErrorKind::Refused);
        }
        let provided = Provided::default();
        let error = Incoming::of_json(b"{\"id\": \"\xff\"", &provided).data::<u8>().unwrap_err();
        assert!(error.message().starts_with("not a CloudEvent: invalid unicode"), "{error}");
    }
}
