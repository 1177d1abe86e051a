//! A subscriber that an operator has paused reads no event.

use async_nats::jetstream::consumer::{PullConsumer, pull};
use graceful::{
    Orchestrator,
    backends::{PauseTarget, memory},
    operations,
};
use graceful_nats::{Filter, Subscriber};
use graceful_tests::gate::{awaited, until};
use tokio::sync::mpsc;

use super::{Nats, read::Emitter};

#[test(requires(Nats), flavor = "multi_thread")]
async fn paused_subscriber_reads_no_event() {
    let nats = Nats::connect().await;
    let emitter = Emitter::new(&nats).await;
    let orchestrator = Orchestrator::builder().in_memory().flows(memory::Flows::new()).build().unwrap();
    let target = PauseTarget::Subscriber("reader".to_owned());
    // It is paused before it begins.
    assert!(operations::pause(&orchestrator, target.clone(), "ada", "a bug").await.unwrap());
    let subscriber = Subscriber::connect(&nats.url(), "reader", &Filter::new()).await.unwrap();
    let subscriber = subscriber.pausable(&orchestrator);
    let (sender, mut numbers) = mpsc::unbounded_channel();
    let reading = tokio::spawn(async move {
        let handler = async |event: std::sync::Arc<graceful::backends::ReceivedEvent>, transaction| {
            sender.send(event.result::<usize>()?)?;
            Ok(transaction)
        };
        subscriber.run(&memory::Inbox::new(), handler).await.unwrap();
    });
    let consumer: PullConsumer = nats.stream().await.get_consumer::<pull::Config>("reader").await.unwrap();
    let unread = async || consumer.get_info().await.unwrap().num_pending;
    emitter.say(1).await;
    assert_eq!(unread().await, 1);
    assert!(operations::resume(&orchestrator, target.clone(), "ada").await.unwrap());
    assert_eq!(awaited(numbers.recv()).await, Some(1));

    // It has noticed when it no longer waits for an event.
    let is_waiting = async || consumer.get_info().await.unwrap().num_waiting > 0;
    until(is_waiting).await;
    assert!(operations::pause(&orchestrator, target.clone(), "ada", "a bug").await.unwrap());
    until(async || !is_waiting().await).await;
    emitter.say(2).await;
    assert_eq!(unread().await, 1);
    numbers.try_recv().unwrap_err();
    assert!(operations::resume(&orchestrator, target, "ada").await.unwrap());
    assert_eq!(awaited(numbers.recv()).await, Some(2));
    reading.abort();
    nats.clean().await;
}
