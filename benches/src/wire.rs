//! Events up to the bytes that a socket would send: by `graceful`, and the same bytes by hand.

use std::cell::Cell;

use graceful::{
    Event,
    backends::{EventEmitter, Reply},
};
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use uuid::Uuid;

thread_local! {
    static SENT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Takes the bytes as a client does, which drops them when they are sent.
fn send(bytes: Vec<u8>) {
    SENT.set(bytes);
}

/// The bytes that were sent last by this thread.
pub fn sent() -> Vec<u8> {
    SENT.take()
}

/// Sends the events of `graceful`.
#[derive(Debug)]
pub struct Wire;

impl EventEmitter for Wire {
    fn emit(&self, event: Event) -> Reply<()> {
        send(event.to_json().map(String::into_bytes).unwrap_or_default());
        Reply::ready(())
    }
}

/// An event by hand.
#[derive(Debug)]
pub struct Message<'a> {
    pub id: Uuid,
    pub name: &'static str,
    pub pattern: &'static str,
    pub entity: &'a str,
    pub at: Timestamp,
    pub code: &'static str,
    pub message: &'a str,
    pub result: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    specversion: &'static str,
    id: Uuid,
    source: &'static str,
    #[serde(rename = "type")]
    name: &'static str,
    subject: Subject<'a>,
    time: Timestamp,
    datacontenttype: &'static str,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    code: &'static str,
    message: &'a str,
    result: Option<&'a RawValue>,
    metadata: (),
    yin_yang: &'static str,
    correlation_id: Uuid,
    service: &'static str,
    entity_id: &'a str,
    timestamp: Timestamp,
    environment: &'static str,
    actor_id: (),
    request_id: (),
    tags: [&'static str; 0],
}

struct Subject<'a>(&'static str, &'a str);

impl Serialize for Subject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}/{}", self.0, self.1))
    }
}

impl Message<'_> {
    /// Serialises into one buffer that is large enough, directly from the values.
    pub fn publish(&self) {
        let envelope = Envelope {
            specversion: "1.0",
            id: self.id,
            source: "users",
            name: self.name,
            subject: Subject(self.pattern, self.entity),
            time: self.at,
            datacontenttype: "application/json",
            data: Data {
                code: self.code,
                message: self.message,
                result: self.result,
                metadata: (),
                yin_yang: if self.result.is_some() { "yang" } else { "yin" },
                correlation_id: self.id,
                service: "users",
                entity_id: self.entity,
                timestamp: self.at,
                environment: "",
                actor_id: (),
                request_id: (),
                tags: [],
            },
        };
        let mut bytes = Vec::with_capacity(768 + self.result.map_or(0, |result| result.get().len()));
        // A derived `Serialize` that writes to memory does not fail.
        let _ = serde_json::to_writer(&mut bytes, &envelope);
        send(bytes);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::{
        scenario::{BY_HAND, GRACEFUL, Handler, Running, Scenario, WIRE, polled},
        user::{JSON, User},
    };

    fn handler(by: &str) -> Handler<User> {
        match (Scenario::find(WIRE, by).unwrap().start)() {
            Running::User(handler) => handler,
            _ => panic!("{WIRE} updates users"),
        }
    }

    /// The bytes of one call without those of the time, and the value without what differs between two calls.
    fn sent_by(handler: &Handler<User>, succeeds: bool) -> (usize, Value) {
        drop(polled((handler.call)(User::sample(42, succeeds, JSON))));
        let bytes = super::sent();
        let mut json: Value = serde_json::from_slice(&bytes).unwrap();
        let times = [json["time"].take(), json["data"]["timestamp"].take()];
        let ids = [json["id"].take(), json["data"]["correlation_id"].take()];
        assert_eq!((&times[0], &ids[0]), (&times[1], &ids[1]));
        // The fraction of a second has no trailing zeros.
        (bytes.len() - 2 * times[0].as_str().unwrap().len(), json)
    }

    #[test]
    fn bytes_by_hand_are_those_of_graceful() {
        let (by_hand, graceful) = (handler(BY_HAND), handler(GRACEFUL));
        for succeeds in [true, false] {
            assert_eq!(sent_by(&by_hand, succeeds), sent_by(&graceful, succeeds));
        }
    }
}
