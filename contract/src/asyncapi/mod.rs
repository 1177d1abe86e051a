//! The events of a program as an AsyncAPI document.

mod components;
mod envelope;
mod keys;

use std::collections::{BTreeMap, BTreeSet};

use graceful::catalogue::{Catalogue, CataloguedHandler, PayloadType};
use serde_json::{Map, Value, json};

use self::{
    components::in_components,
    envelope::envelope,
    keys::{channel_key, key},
};
use crate::schemas::{Direction, Schemas};

/// The version of AsyncAPI.
const VERSION: &str = "3.1.0";

/// Where a channel is: from the pattern and the name of the event. The tenant is the parameter `{tenant}`.
type Address = Box<dyn Fn(&str, &str) -> String>;

/// The events of a program as an AsyncAPI 3.1 document: both arms, with the CloudEvents envelope, and the addresses of a broker.
///
/// ```
/// use graceful::catalogue::Catalogue;
/// use graceful_contract::AsyncApi;
///
/// let document = AsyncApi::new("users", "1.2.0")
///     .address("nats", |pattern, event| graceful_nats::channel_address("graceful", "users", pattern, event))
///     .document(&Catalogue::of_program());
/// assert_eq!(document["asyncapi"], "3.1.0");
/// assert_eq!(document["info"]["title"], "users");
/// ```
pub struct AsyncApi {
    service: String,
    version: String,
    protocol: Option<String>,
    address: Address,
}

impl std::fmt::Debug for AsyncApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AsyncApi").field("service", &self.service).finish_non_exhaustive()
    }
}

impl AsyncApi {
    /// The document of a service in a version of its own.
    ///
    /// ```
    /// let api = graceful_contract::AsyncApi::new("users", "1.2.0");
    /// ```
    pub fn new(service: impl Into<String>, version: impl Into<String>) -> Self {
        let address: Address = Box::new(|pattern, event| format!("{{tenant}}/{pattern}/{event}"));
        Self { service: service.into(), version: version.into(), protocol: None, address }
    }

    /// Sets the broker's protocol, and the address of the channel of a pattern and an event. The tenant is its parameter `{tenant}`.
    ///
    /// ```
    /// let api = graceful_contract::AsyncApi::new("users", "1.2.0")
    ///     .address("amqp", |pattern, event| graceful_rabbitmq::channel_address("users", pattern, event));
    /// ```
    #[must_use]
    pub fn address(
        mut self,
        protocol: impl Into<String>,
        address: impl Fn(&str, &str) -> String + 'static,
    ) -> Self {
        (self.protocol, self.address) = (Some(protocol.into()), Box::new(address));
        self
    }

    /// The document.
    ///
    /// ```
    /// # use graceful::catalogue::Catalogue;
    /// let document = graceful_contract::AsyncApi::new("users", "1.2.0").document(&Catalogue::default());
    /// assert_eq!(document["channels"], serde_json::json!({}));
    /// ```
    pub fn document(&self, catalogue: &Catalogue) -> Value {
        let mut schemas = Schemas::new(Direction::Emitted);
        let mut channels: BTreeMap<String, Value> = BTreeMap::new();
        let mut operations: BTreeMap<String, Value> = BTreeMap::new();
        let mut messages: BTreeMap<String, Value> = BTreeMap::new();
        for event in events(catalogue) {
            let key = key(&event.name);
            messages.insert(key.clone(), self.message(&event, &mut schemas));
            for pattern in &event.patterns {
                let channel = channel_key(pattern, &event.name);
                channels.insert(channel.clone(), self.channel(pattern, &event.name, &key));
                let operation = json!({
                    "action": "send",
                    "title": event.name,
                    "channel": { "$ref": format!("#/channels/{channel}") },
                    "messages": [{ "$ref": format!("#/channels/{channel}/messages/{key}") }],
                });
                operations.insert(format!("send.{channel}"), operation);
            }
        }
        let definitions: Map<String, Value> = schemas.definitions();
        let mut document = json!({
            "asyncapi": VERSION,
            "info": {
                "title": self.service,
                "version": self.version,
                "description": format!("The events of the service `{}`, of successes and of failures.", self.service),
            },
            "defaultContentType": envelope::CONTENT_TYPE,
            "channels": channels,
            "operations": operations,
            "components": { "messages": messages, "schemas": definitions },
        });
        in_components(&mut document);
        document
    }

    fn channel(&self, pattern: &str, event: &str, message: &str) -> Value {
        let address = (self.address)(pattern, event);
        let mut channel = json!({
            "address": address,
            "title": format!("{event} of {pattern}"),
            "messages": { message: { "$ref": format!("#/components/messages/{message}") } },
        });
        if address.contains("{tenant}") {
            let description = "The tenant, percent-encoded; `%` for events without a tenant.";
            channel["parameters"] = json!({ "tenant": { "description": description } });
        }
        if let Some(protocol) = &self.protocol {
            channel["description"] = json!(format!("Over {protocol}."));
        }
        channel
    }

    fn message(&self, event: &EventOf<'_>, schemas: &mut Schemas) -> Value {
        let results: Vec<Value> = event.payloads.iter().fold(Vec::new(), |mut results, payload| {
            // A type that is not known can be anything.
            let schema = schemas.schema(payload).unwrap_or_else(|| json!({}));
            if !results.contains(&schema) {
                results.push(schema);
            }
            results
        });
        let result = match <[Value; 1]>::try_from(results) {
            Ok([only]) => only,
            Err(several) => json!({ "anyOf": several }),
        };
        let mut message = json!({
            "name": event.name,
            "title": event.name,
            "contentType": envelope::CONTENT_TYPE,
            "payload": envelope(&self.service, &event.name, &event.patterns, &event.arms, &result),
        });
        let reasons = event.payloads.iter().filter_map(|payload| match payload {
            PayloadType::Opaque(reason) => Some(format!("The type of `data.result` is not known: {reason}.")),
            PayloadType::Unchecked => {
                Some("`data.result` is not checked, since its type has no schema.".to_owned())
            }
            _ => None,
        });
        let reasons: BTreeSet<_> = reasons.collect();
        if !reasons.is_empty() {
            message["description"] = json!(reasons.into_iter().collect::<Vec<_>>().join(" "));
        }
        if !event.codes.is_empty() {
            message["x-codes"] = json!(event.codes);
        }
        message
    }
}

/// An event of the program, with all handlers that emit it.
struct EventOf<'a> {
    name: String,
    patterns: BTreeSet<&'a str>,
    /// `yang` and `yin`, where it is that of a success and of a failure.
    arms: BTreeSet<&'static str>,
    payloads: Vec<PayloadType>,
    /// The codes that own variants declare, and their messages.
    codes: BTreeMap<&'static str, BTreeSet<&'static str>>,
}

fn events(catalogue: &Catalogue) -> Vec<EventOf<'_>> {
    let mut events: BTreeMap<&str, EventOf<'_>> = BTreeMap::new();
    for handler in catalogue.handlers() {
        let Some(event) = &handler.event else { continue };
        for (name, arm) in [(event.name, "yang"), (event.failed, "yin")] {
            if name.is_empty() {
                continue;
            }
            let of = events.entry(name).or_insert_with(|| EventOf {
                name: name.to_owned(),
                patterns: BTreeSet::new(),
                arms: BTreeSet::new(),
                payloads: Vec::new(),
                codes: BTreeMap::new(),
            });
            of.patterns.extend(Some(handler.pattern).filter(|pattern| !pattern.is_empty()));
            of.arms.insert(arm);
            match arm {
                "yang" => of.payloads.push(event.payload),
                _ => of.fail(handler),
            }
        }
    }
    events.into_values().collect()
}

impl EventOf<'_> {
    fn fail(&mut self, handler: &CataloguedHandler) {
        self.payloads.push(PayloadType::Nothing);
        for own in handler.codes.own() {
            self.codes.entry(own.code.as_str()).or_default().insert(own.message.unwrap_or(own.code.text()));
        }
    }
}
