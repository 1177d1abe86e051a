//! The events that a subscriber receives, and their JSON.

use std::{borrow::Cow, fmt};

use percent_encoding::percent_decode_str;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor},
};

use super::Timestamp;
use crate::{context::Context, flow::Payload, text::Text};

/// An event as a subscriber receives it: the attributes of a CloudEvent, and its data.
///
/// ```
/// use graceful::backends::ReceivedEvent;
///
/// let event: ReceivedEvent = serde_json::from_str(
///     r#"{"specversion": "1.0", "id": "7", "source": "users", "type": "user_updated", "subject": "user/42",
///         "data": {"code": "OK", "result": "ada"}}"#,
/// )?;
/// assert_eq!((event.source.as_str(), event.name.as_str()), ("users", "user_updated"));
/// assert_eq!(event.result::<String>()?, "ada");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReceivedEvent {
    /// The flow's id, which does not change when the event is redelivered. Source and id together are unique.
    pub id: String,
    /// The encoded name of the service.
    pub source: String,
    /// The event's name, which is the `type` of the CloudEvent: `user_updated` or `user_updated.failed`.
    pub name: String,
    /// The entity as `pattern/id`, each part encoded.
    pub subject: Option<String>,
    /// When the flow ended.
    pub time: Option<Timestamp>,
    /// The data of the event. In an event of `graceful` it is an [`EventData`](crate::EventData).
    pub data: Payload,
    /// The context of the flow, without user and request id: tenant, correlation id and trace. A `Subscriber` calls its handler in
    /// this context.
    pub context: Context,
}

impl ReceivedEvent {
    /// Decodes the `result` of the data, which is the handler's value. In the event of an error it is `null`.
    ///
    /// # Errors
    /// Fails if the data has no `result`, or if it is not a `T`.
    ///
    /// ```
    /// # use graceful::backends::ReceivedEvent;
    /// # let json = r#"{"specversion": "1.0", "id": "7", "source": "s", "type": "t", "data": {"result": 7}}"#;
    /// let event: ReceivedEvent = serde_json::from_str(json)?;
    /// assert_eq!(event.result::<u8>()?, 7);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn result<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        #[derive(Deserialize)]
        struct Data<T> {
            result: T,
        }

        self.data.decode::<Data<T>>().map(|data| data.result)
    }

    /// The id of the entity, from the subject.
    pub(crate) fn entity_id(&self) -> Option<Text> {
        entity_id(self.subject.as_deref()?)
    }
}

/// A text that is not copied if it has no escapes.
#[derive(Deserialize)]
struct Part<'a>(#[serde(borrow)] Cow<'a, str>);

/// The JSON of an event, with its data as a `D`.
#[derive(Deserialize)]
#[serde(bound = "D: Deserialize<'de>")]
pub(crate) struct Envelope<'a, D> {
    #[serde(borrow)]
    specversion: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    subject: Option<Part<'a>>,
    time: Option<Timestamp>,
    pub(crate) data: Option<D>,
    #[serde(borrow)]
    tenant: Option<Part<'a>>,
    #[serde(borrow)]
    traceparent: Option<Part<'a>>,
    #[serde(borrow)]
    tracestate: Option<Part<'a>>,
}

impl<D> Envelope<'_, D> {
    /// Why it is no CloudEvent.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        if self.specversion != "1.0" {
            return Some("its `specversion` is not 1.0");
        }
        let is_empty = [&self.id, &self.source, &self.r#type].iter().any(|attribute| attribute.is_empty());
        is_empty.then_some("its `id`, `source` or `type` is empty")
    }

    /// The context, with the correlation id from the data. These extensions are optional, so an invalid value counts as missing.
    pub(crate) fn context(&self, correlation_id: Option<Text>) -> Context {
        let mut context = Context::new();
        context.tenant = self.tenant.as_ref().and_then(|tenant| decoded(&tenant.0));
        context.correlation_id = correlation_id.filter(|id| !id.is_empty());
        context.trace = self.traceparent.as_ref().and_then(|text| text.0.parse().ok());
        let state = self.tracestate.as_ref().filter(|_| context.trace.is_some());
        context.trace_state = state.and_then(|text| text.0.parse().ok());
        context
    }

    /// The id of the entity, from the subject.
    pub(crate) fn entity_id(&self) -> Option<Text> {
        entity_id(&self.subject.as_ref()?.0)
    }
}

impl<'de> Deserialize<'de> for ReceivedEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut envelope = Envelope::<Payload>::deserialize(deserializer)?;
        if let Some(fault) = envelope.fault() {
            return Err(serde::de::Error::custom(fault));
        }
        let data = envelope.data.take().unwrap_or_default();
        let context = envelope.context(correlation_id(&data));
        let Envelope { id, source, r#type: name, subject, time, .. } = envelope;
        let subject = subject.map(|subject| subject.0.into_owned());
        let [id, source, name] = [id, source, name].map(Cow::into_owned);
        Ok(Self { id, source, name, subject, time, data, context })
    }
}

fn entity_id(subject: &str) -> Option<Text> {
    decoded(subject.split_once('/')?.1)
}

fn decoded(encoded: &str) -> Option<Text> {
    let text = percent_decode_str(encoded).decode_utf8().ok()?;
    (!text.is_empty()).then(|| text.into())
}

/// `None` for an event that `graceful` did not emit. What follows the id is not read.
fn correlation_id(data: &Payload) -> Option<Text> {
    #[derive(Deserialize)]
    #[serde(field_identifier, rename_all = "snake_case")]
    enum Field {
        CorrelationId,
        #[serde(other)]
        Other,
    }

    struct Found<'a>(&'a mut Option<Text>);

    impl<'de> Visitor<'de> for Found<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
            while let Some(field) = fields.next_key()? {
                match field {
                    Field::CorrelationId => {
                        *self.0 = Some(fields.next_value()?);
                        break;
                    }
                    Field::Other => drop(fields.next_value::<IgnoredAny>()?),
                }
            }
            Ok(())
        }
    }

    let mut found = None;
    // An error is expected: the object does not end after the id.
    let _ = serde_json::Deserializer::from_str(data.as_json()).deserialize_map(Found(&mut found));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<ReceivedEvent, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn invalid_cloud_event_is_refused_with_the_reason() {
        for (json, why) in [
            ("", "EOF"),
            ("[]", "invalid"),
            (r#"{"id": "7", "source": "s", "type": "t"}"#, "specversion"),
            (r#"{"specversion": "0.3", "id": "7", "source": "s", "type": "t"}"#, "not 1.0"),
            (r#"{"specversion": "1.0", "id": "", "source": "s", "type": "t"}"#, "empty"),
            (r#"{"specversion": "1.0", "id": "7", "source": "s"}"#, "type"),
            (r#"{"specversion": "1.0", "id": "7", "source": "s", "type": "t", "time": "noon"}"#, "year"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(why), "{json}: {error}");
        }
    }

    #[test]
    fn missing_data_and_unknown_extensions_are_accepted() {
        let event =
            read(r#"{"specversion": "1.0", "id": "7", "source": "s", "type": "t", "other": "x"}"#).unwrap();
        assert!(event.data.is_null());
        assert_eq!(event.context, Context::new());
    }

    #[test]
    fn malformed_extensions_are_ignored() {
        for (extensions, tenant) in [
            (r#""traceparent": "x", "tracestate": "a=1", "tenant": """#, None),
            (
                r#""traceparent": "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "tenant": "a%2Fb""#,
                Some("a/b"),
            ),
            (r#""tracestate": "a=1", "tenant": "%FF", "data": {"correlation_id": ""}"#, None),
            (r#""tenant": "acme", "data": {"correlation_id": 7}"#, Some("acme")),
        ] {
            let json =
                format!(r#"{{"specversion": "1.0", "id": "7", "source": "s", "type": "t", {extensions}}}"#);
            let mut expected = Context::new();
            expected.tenant = tenant.map(Text::from);
            assert_eq!(read(&json).unwrap().context, expected, "{extensions}");
        }
    }
}
