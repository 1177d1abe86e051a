//! Events are emitted to and read from a real NATS JetStream.

#[macro_use(test)]
extern crate graceful_tests;

mod attempts;
mod context;
mod emitted;
mod faults;
mod names;
mod pauses;
mod read;
mod resubmitted;
mod source;
mod start;
mod subscribed;

use std::{net::SocketAddr, process::ExitCode};

use async_nats::jetstream::{self, stream::Stream};
use graceful_nats::Events;
use graceful_tests::servers::{self, unique};
use serde_json::Value;

fn main() -> ExitCode {
    graceful_tests::harness::main()
}

/// The server, with a stream of the test's own, which is removed by [`clean`](Self::clean).
struct Nats {
    address: SocketAddr,
    stream: String,
    jetstream: jetstream::Context,
}

impl Nats {
    async fn connect() -> Self {
        Self::at(servers::NATS).await
    }

    async fn at(address: SocketAddr) -> Self {
        let client = async_nats::connect(format!("nats://{address}")).await.unwrap();
        Self { address, stream: unique("test"), jetstream: jetstream::new(client) }
    }

    fn url(&self) -> String {
        self.url_at(self.address)
    }

    fn url_at(&self, address: SocketAddr) -> String {
        format!("nats://{address}?stream={}", self.stream)
    }

    async fn events(&self) -> Events {
        Events::connect(&self.url()).await.unwrap()
    }

    async fn stream(&self) -> Stream {
        self.jetstream.get_stream(&self.stream).await.unwrap()
    }

    /// All that is in the stream, in its order.
    async fn messages(&self) -> Vec<Message> {
        let stream = self.stream().await;
        let mut messages = Vec::new();
        for sequence in 1..=stream.cached_info().state.last_sequence {
            let message = stream.get_raw_message(sequence).await.unwrap();
            let header = |name: &str| message.headers.get(name).map(ToString::to_string);
            messages.push(Message {
                subject: message.subject.to_string(),
                id: header("Nats-Msg-Id"),
                content_type: header("Content-Type"),
                event: serde_json::from_slice(&message.payload).unwrap(),
            });
        }
        messages
    }

    async fn clean(self) {
        self.jetstream.delete_stream(&self.stream).await.unwrap();
    }
}

#[derive(Debug)]
struct Message {
    subject: String,
    id: Option<String>,
    content_type: Option<String>,
    event: Value,
}
