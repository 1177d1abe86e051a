//! A subscriber whose effects are in its inbox's database.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use graceful::{
    Code, Failure, OrchestrationConfig, Orchestrator, Success,
    backends::{
        Inbox, ReceivedEvent,
        nats::{Events, Filter, Rejected, Subscriber},
    },
};

use crate::{gate::until, servers::unique};

/// Five flows, of an `Ok` and of an `Err` in turn, whose events come twice each. After the first two effects the handler fails, and
/// panics. Answers how often it was called.
pub async fn read_twice<I: Inbox, W>(
    nats: SocketAddr,
    inbox: &I,
    write: impl Fn(I::Transaction, i64) -> W,
) -> usize
where
    W: Future<Output = Result<I::Transaction, sqlx::Error>>,
{
    let url = format!("nats://{nats}?stream={}", unique("test"));
    let events = Events::connect(&url).await.unwrap();
    let orchestrator = Orchestrator::builder().service("users").events(events).build().unwrap();
    let subscriber = Subscriber::connect(&url, "greeter", &Filter::new()).await.unwrap();
    for number in 0..5_i64 {
        let config = OrchestrationConfig::new("user").id(number).event("said").on(&orchestrator);
        if number % 2 == 0 {
            Success::wrap(Code::Ok, "said", &number).orchestrate(&config).await;
        } else {
            Failure::wrap(Code::Internal, "not said", &number).orchestrate(&config).await;
        }
    }
    // Once more, as if the stream did not know them any more.
    let jetstream = async_nats::jetstream::new(async_nats::connect(format!("nats://{nats}")).await.unwrap());
    let stream = jetstream.get_stream(url.split_once("stream=").unwrap().1).await.unwrap();
    for sequence in 1..=5 {
        let message = stream.get_raw_message(sequence).await.unwrap();
        jetstream.publish(message.subject, message.payload).await.unwrap().await.unwrap();
    }

    let (calls, write) = (AtomicUsize::new(0), &write);
    let handler = |event: Arc<ReceivedEvent>, transaction: I::Transaction| {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        async move {
            let subject = event.subject.as_deref().unwrap_or_default();
            let number = subject.trim_start_matches("user/").parse().map_err(Rejected::poison)?;
            let transaction = write(transaction, number).await?;
            match call {
                0 => Err("after its effect".into()),
                1 => panic!("after its effect"),
                _ => Ok(transaction),
            }
        }
    };
    let all_answered = until(|| async {
        let consumer = stream.consumer_info("greeter").await.unwrap();
        consumer.num_pending == 0 && consumer.num_ack_pending == 0
    });
    subscriber.run_until(all_answered, inbox, handler).await.unwrap();
    let name = stream.cached_info().config.name.clone();
    jetstream.delete_stream(name).await.unwrap();
    calls.into_inner()
}
