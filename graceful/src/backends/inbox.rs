//! What a reader of events has handled already.

use std::{
    fmt::Debug,
    future::{Future, ready},
};

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;
use smol_str::SmolStr;

use super::Timestamp;
use crate::{context::Context, flow::Payload, step::StepError};

/// An event as its readers get it: the attributes of a CloudEvent, and its data.
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
    /// The flow's id, the same in each repetition. With the source it is unique.
    pub id: String,
    /// The service, encoded.
    pub source: String,
    /// The envelope's `type`: `user_updated`, `user_updated.failed`.
    pub name: String,
    /// `pattern/id`, each part encoded.
    pub subject: Option<String>,
    /// When the flow ended.
    pub time: Option<Timestamp>,
    /// What the event carries; of an event of graceful it is a [`EventData`](crate::EventData).
    pub data: Payload,
    /// What its flow ran in, as far as it goes on here: tenant, correlation id and trace. Who asked for it, and by which request,
    /// is over. A `Subscriber` calls its handler within it.
    pub context: Context,
}

impl ReceivedEvent {
    /// The data's `result`: the handler's value; `null` in the event of an error.
    ///
    /// # Errors
    /// The data has none, or it is no `T`.
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
}

impl<'de> Deserialize<'de> for ReceivedEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;

        #[derive(Deserialize)]
        struct Envelope {
            specversion: String,
            id: String,
            source: String,
            r#type: String,
            subject: Option<String>,
            time: Option<Timestamp>,
            data: Option<Box<RawValue>>,
            tenant: Option<String>,
            traceparent: Option<String>,
            tracestate: Option<String>,
        }

        let envelope = Envelope::deserialize(deserializer)?;
        if envelope.specversion != "1.0" {
            return Err(D::Error::custom("its `specversion` is not 1.0"));
        }
        if [&envelope.id, &envelope.source, &envelope.r#type].iter().any(|attribute| attribute.is_empty()) {
            return Err(D::Error::custom("its `id`, `source` or `type` is empty"));
        }
        let data = match envelope.data {
            Some(data) => Payload::of(&data).map_err(D::Error::custom)?,
            None => Payload::NULL,
        };
        let Envelope { id, source, r#type: name, subject, time, tenant, traceparent, tracestate, .. } =
            envelope;
        let mut context = Context::new();
        context.tenant = tenant.and_then(|tenant| decoded(&tenant));
        context.correlation_id = correlation_id(&data);
        // Whoever has made them: what is broken says nothing.
        context.trace = traceparent.and_then(|text| text.parse().ok());
        context.trace_state =
            tracestate.filter(|_| context.trace.is_some()).and_then(|text| text.parse().ok());
        Ok(Self { id, source, name, subject, time, data, context })
    }
}

fn decoded(tenant: &str) -> Option<SmolStr> {
    let tenant = percent_decode_str(tenant).decode_utf8().ok()?;
    (!tenant.is_empty()).then(|| tenant.into())
}

/// An event of somebody else's has none.
fn correlation_id(data: &Payload) -> Option<SmolStr> {
    #[derive(Deserialize)]
    struct Data {
        correlation_id: SmolStr,
    }

    data.decode::<Data>().ok().map(|data| data.correlation_id).filter(|id| !id.is_empty())
}

/// What a reader of events has handled already, kept where its effects are, so that a repetition has no second effect.
///
/// An event comes at least once. [`begin`](Self::begin) opens a transaction and notes the event in it; the reader makes its
/// effects through the same transaction, and [`commit`](Self::commit) makes both true at once. A transaction that is
/// dropped undoes both, and the event comes again.
///
/// ```
/// use graceful::{
///     StepError,
///     backends::{Inbox, InboxEntry, ReceivedEvent},
/// };
///
/// /// For effects that a repetition does not change: there is nothing to remember.
/// #[derive(Debug)]
/// struct Idempotent;
///
/// impl Inbox for Idempotent {
///     type Transaction = ();
///
///     async fn begin(&self, _: &str, _: &ReceivedEvent) -> Result<InboxEntry<()>, StepError> {
///         Ok(InboxEntry::First(()))
///     }
///
///     async fn commit(&self, (): ()) -> Result<(), StepError> {
///         Ok(())
///     }
/// }
/// ```
pub trait Inbox: Debug + Send + Sync + 'static {
    /// What the reader makes its effects through.
    type Transaction: Send;

    /// Notes that this consumer handles this event, by its source and id.
    ///
    /// Where another transaction that is still open has noted it, this waits for its end, or fails.
    fn begin(
        &self,
        consumer: &str,
        event: &ReceivedEvent,
    ) -> impl Future<Output = Result<InboxEntry<Self::Transaction>, StepError>> + Send;

    /// Counts an attempt at the event, in a transaction of its own, and answers how many there were, this one included.
    ///
    /// `None`, as by default, says that attempts are not counted here: then each delivery is one.
    fn attempted(
        &self,
        consumer: &str,
        event: &ReceivedEvent,
    ) -> impl Future<Output = Result<Option<u32>, StepError>> + Send {
        let _ = (consumer, event);
        ready(Ok(None))
    }

    /// The event is handled, for good.
    fn commit(&self, transaction: Self::Transaction) -> impl Future<Output = Result<(), StepError>> + Send;
}

/// What an [`Inbox`] knows of an event.
///
/// ```
/// # use graceful::backends::InboxEntry;
/// let entry: InboxEntry<()> = InboxEntry::Again;
/// ```
#[derive(Debug)]
pub enum InboxEntry<T> {
    /// It was not handled yet, and is noted in this transaction.
    First(T),
    /// It was handled already.
    Again,
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
            expected.tenant = tenant.map(SmolStr::from);
            assert_eq!(read(&json).unwrap().context, expected, "{extensions}");
        }
    }
}
