//! A consumer that knows a service by its AsyncAPI document alone: where its events are, and what they look like.
#![allow(
    missing_docs,
    clippy::missing_panics_doc,
    reason = "for tests: what is wrong with a document panics"
)]

pub mod official;

use jsonschema::{Draft, JSONSchema};
use serde_json::Value;

/// The channels of a document.
#[derive(Debug)]
pub struct Consumer(Vec<Channel>);

#[derive(Debug)]
struct Channel {
    address: String,
    parameters: Vec<String>,
    messages: Vec<(String, JSONSchema)>,
}

/// A message that fits the document.
#[derive(Debug, PartialEq, Eq)]
pub struct Received {
    /// The name of the message.
    pub name: String,
    /// The values of the parameters in the address, by name.
    pub parameters: Vec<(String, String)>,
    pub event: Value,
}

impl Consumer {
    pub fn new(document: &Value) -> Self {
        let channels = document["channels"].as_object().unwrap().values();
        Self(channels.map(|channel| Channel::new(document, channel)).collect())
    }

    /// The addresses, with a wildcard of NATS in the place of each parameter.
    pub fn subjects(&self) -> Vec<String> {
        let filled = |channel: &Channel| {
            let wild = |address: String, name: &String| address.replace(&format!("{{{name}}}"), "*");
            channel.parameters.iter().fold(channel.address.clone(), wild)
        };
        self.0.iter().map(filled).collect()
    }

    /// Finds the channel of an address, and checks what has arrived there.
    pub fn receive(&self, address: &str, payload: &[u8]) -> Result<Received, String> {
        let event: Value = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
        let found = self.0.iter().find_map(|channel| Some((channel, channel.parameters(address)?)));
        let (channel, parameters) = found.ok_or_else(|| format!("no channel is at {address}"))?;
        let mut why = Vec::new();
        for (name, validator) in &channel.messages {
            let errors: Vec<_> = match validator.validate(&event) {
                Ok(()) => Vec::new(),
                Err(errors) => errors.map(|error| error.to_string()).collect(),
            };
            if errors.is_empty() {
                return Ok(Received { name: name.clone(), parameters, event });
            }
            why.extend(errors);
        }
        Err(why.join("; "))
    }
}

impl Channel {
    fn new(document: &Value, channel: &Value) -> Self {
        let parameters = channel["parameters"].as_object().into_iter().flatten();
        let messages = channel["messages"].as_object().unwrap().values();
        let message = |message: &Value| {
            let message = target(document, message);
            let mut schema = message["payload"].clone();
            schema["components"] = document["components"].clone();
            (
                message["name"].as_str().unwrap().to_owned(),
                JSONSchema::options().with_draft(Draft::Draft7).compile(&schema).unwrap(),
            )
        };
        Self {
            address: channel["address"].as_str().unwrap().to_owned(),
            parameters: parameters.map(|(name, _)| name.clone()).collect(),
            messages: messages.map(message).collect(),
        }
    }

    /// The values of the parameters, if this is the channel's address.
    fn parameters(&self, address: &str) -> Option<Vec<(String, String)>> {
        let (own, other): (Vec<_>, Vec<_>) =
            (self.address.split('.').collect(), address.split('.').collect());
        let mut values = Vec::new();
        for (own, other) in own.iter().zip(&other) {
            match own.strip_prefix('{').and_then(|own| own.strip_suffix('}')) {
                Some(name) => values.push((name.to_owned(), (*other).to_owned())),
                None if own == other => {}
                None => return None,
            }
        }
        (own.len() == other.len()).then_some(values)
    }
}

/// What a reference points to, otherwise the value itself.
fn target<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let reference = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    reference.map_or(value, |pointer| document.pointer(pointer).unwrap())
}
