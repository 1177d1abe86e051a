//! A subscriber that an operator has paused reads no event.

use graceful::{
    Orchestrator,
    backends::{PauseTarget, memory},
    operations,
};
use graceful_rabbitmq::{Filter, Subscriber};
use graceful_tests::gate::{awaited, until};
use tokio::sync::mpsc;

use super::{Rabbit, read::Emitter};

#[test(requires(RabbitMq), flavor = "multi_thread")]
async fn paused_subscriber_reads_no_event() {
    let rabbit = Rabbit::connect().await;
    let emitter = Emitter::new(&rabbit).await;
    let orchestrator = Orchestrator::builder().in_memory().flows(memory::Flows::new()).build().unwrap();
    let target = PauseTarget::Subscriber("reader".to_owned());
    // It is paused before it begins.
    assert!(operations::pause(&orchestrator, target.clone(), "ada", "a bug").await.unwrap());
    let subscriber = Subscriber::connect(&rabbit.url(), "reader", &Filter::new()).await.unwrap();
    let subscriber = subscriber.pausable(&orchestrator);
    let (sender, mut numbers) = mpsc::unbounded_channel();
    let reading = tokio::spawn(async move {
        let handler = async |event: std::sync::Arc<graceful::backends::ReceivedEvent>, transaction| {
            sender.send(event.result::<usize>()?)?;
            Ok(transaction)
        };
        subscriber.run(&memory::Inbox::new(), handler).await.unwrap();
    });
    let queue = rabbit.queue("reader");
    emitter.say(1).await;
    assert_eq!(rabbit.state(&queue).await, (1, 0));
    assert!(operations::resume(&orchestrator, target.clone(), "ada").await.unwrap());
    assert_eq!(awaited(numbers.recv()).await, Some(1));

    // It has noticed when it no longer reads.
    assert!(operations::pause(&orchestrator, target.clone(), "ada", "a bug").await.unwrap());
    until(async || rabbit.state(&queue).await.1 == 0).await;
    emitter.say(2).await;
    assert_eq!(rabbit.state(&queue).await, (1, 0));
    numbers.try_recv().unwrap_err();
    assert!(operations::resume(&orchestrator, target, "ada").await.unwrap());
    assert_eq!(awaited(numbers.recv()).await, Some(2));
    reading.abort();
    rabbit.clean().await;
}
