//! Reading goes on whatever the server does to the queue, the channel or the connection.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use graceful::backends::{ReceivedEvent, memory};
use graceful_rabbitmq::{Filter, Subscriber};
use graceful_tests::{
    Link, Proxy,
    gate::{awaited, until},
};
use tokio::{
    sync::{Semaphore, mpsc},
    time::sleep,
};

use super::{
    Rabbit,
    read::{Emitter, all_answered, next, poison, read, subscriber},
};

#[test(requires(RabbitMq))]
async fn deleted_queue_is_declared_again() {
    let rabbit = Rabbit::connect().await;
    let emitter = Emitter::new(&rabbit).await;
    emitter.say(1).await;
    let (reading, mut handled) = read(subscriber(&rabbit).await, &memory::Inbox::new(), |_, _| Ok(()));
    assert_eq!(next(&mut handled).await, 1);
    for number in 2..5 {
        rabbit.delete_queue(&rabbit.queue("reader")).await;
        let queue = rabbit.queue("reader");
        until(async || rabbit.state_if_any(&queue).await.is_some_and(|(_, consumers)| consumers == 1)).await;
        emitter.say(number).await;
        assert_eq!(next(&mut handled).await, number);
    }
    all_answered(&rabbit, reading).await;
    rabbit.clean().await;
}

/// Events that a process had received when it died are handled, even if one of them kills each process.
#[test(requires(RabbitMq))]
async fn event_that_kills_its_process_condemns_no_other() {
    let rabbit = Rabbit::connect().await;
    let emitter = Emitter::new(&rabbit).await;
    for number in 0..20 {
        emitter.say(number).await;
    }
    let inbox = memory::Inbox::new();
    let numbers = Arc::new(Mutex::new(Vec::new()));
    // The first process handles the first event, so it has received more when it dies of the second.
    for _ in 0..3 {
        let (sender, mut begun) = mpsc::unbounded_channel();
        let (subscriber, inbox, numbers) = (subscriber(&rabbit).await, inbox.clone(), Arc::clone(&numbers));
        let reading = tokio::spawn(async move {
            let handler = async |event: Arc<ReceivedEvent>, transaction| {
                let number = event.result::<usize>()?;
                if number == 1 {
                    sender.send(())?;
                    pending::<()>().await;
                }
                numbers.lock().unwrap().push(number);
                Ok(transaction)
            };
            subscriber.run(&inbox, handler).await.unwrap();
        });
        awaited(begun.recv()).await.unwrap();
        reading.abort();
        let queue = rabbit.queue("reader");
        until(async || rabbit.state(&queue).await.1 == 0).await;
    }
    let (last, mut poison) = poison(subscriber(&rabbit).await.attempts(3));
    let (reading, mut more) = read(last, &inbox, |_, _| Ok(()));
    let told = awaited(poison.recv()).await.unwrap();
    assert_eq!((told.event.unwrap().result::<usize>().unwrap(), told.attempts), (1, 4));
    let mut handled = std::mem::take(&mut *numbers.lock().unwrap());
    while handled.len() < 19 {
        handled.push(next(&mut more).await);
    }
    // The broker keeps it in both queues for a moment.
    let poisoned = rabbit.queue("reader.poison");
    until(async || rabbit.state(&poisoned).await.0 == 1).await;
    all_answered(&rabbit, reading).await;
    handled.sort_unstable();
    assert_eq!(handled, (0..20).filter(|number| *number != 1).collect::<Vec<_>>());
    assert!(poison.try_recv().is_err() && more.try_recv().is_err());
    rabbit.clean().await;
}

/// What a process has received and not begun is with another one after its connection has ended, so it runs none of it.
#[test(requires(RabbitMq))]
async fn received_events_of_an_ended_connection_are_not_handled() {
    let rabbit = Rabbit::connect().await;
    let emitter = Emitter::new(&rabbit).await;
    for number in 0..5 {
        emitter.say(number).await;
    }
    let proxy = Proxy::to(rabbit.address).await;
    let cut = Subscriber::connect(&rabbit.url_at(proxy.address()), "reader", &Filter::new()).await.unwrap();
    let (begun, mut has_begun) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let cut = tokio::spawn(async move {
        let handler = async |event: Arc<ReceivedEvent>, transaction| {
            begun.send(event.result::<usize>()?)?;
            opened.acquire().await?.forget();
            Ok(transaction)
        };
        cut.run(&memory::Inbox::new(), handler).await.unwrap();
    });
    assert_eq!(next(&mut has_begun).await, 0);
    let queue = rabbit.queue("reader");
    until(async || rabbit.state(&queue).await.0 == 0).await;
    proxy.set(Link::Reset).await;
    let (reading, mut handled) = read(subscriber(&rabbit).await, &memory::Inbox::new(), |_, _| Ok(()));
    for number in 0..5 {
        assert_eq!(next(&mut handled).await, number);
    }
    sleep(Duration::from_millis(300)).await;
    gate.add_permits(9);
    sleep(Duration::from_millis(300)).await;
    assert!(has_begun.try_recv().is_err(), "an event ran in two processes");
    cut.abort();
    all_answered(&rabbit, reading).await;
    rabbit.clean().await;
}

/// Each run takes longer than the first pause, so that an event which waits is always due.
#[test(requires(RabbitMq))]
async fn fresh_event_is_handled_between_events_that_are_tried_again() {
    let rabbit = Rabbit::connect().await;
    let emitter = Emitter::new(&rabbit).await;
    for number in 0..3 {
        emitter.say(number).await;
    }
    let queue = rabbit.queue("reader");
    until(async || rabbit.state(&queue).await.0 == 3).await;
    let (begun, mut has_begun) = mpsc::unbounded_channel();
    let subscriber = subscriber(&rabbit).await;
    let reading = tokio::spawn(async move {
        let handler = async |event: Arc<ReceivedEvent>, transaction| {
            begun.send(event.result::<usize>()?)?;
            sleep(Duration::from_millis(600)).await;
            if event.result::<usize>()? < 3 { Err("not now".into()) } else { Ok(transaction) }
        };
        subscriber.run(&memory::Inbox::new(), handler).await.unwrap();
    });
    for number in [0, 1, 0, 2] {
        assert_eq!(next(&mut has_begun).await, number);
    }
    reading.abort();
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn at_most_one_batch_is_with_the_reader_after_each_reconnection() {
    let rabbit = Rabbit::connect().await;
    let emitter = Emitter::new(&rabbit).await;
    for number in 0..300 {
        emitter.say(number).await;
    }
    let proxy = Proxy::to(rabbit.address).await;
    let reader =
        Subscriber::connect(&rabbit.url_at(proxy.address()), "reader", &Filter::new()).await.unwrap();
    // Each event waits for its next attempt.
    let (reading, _handled) = read(reader, &memory::Inbox::new(), |_, _| Err("not now".into()));
    let queue = rabbit.queue("reader");
    for _ in 0..3 {
        until(async || rabbit.state(&queue).await.0 == 200).await;
        proxy.set(Link::Reset).await;
        until(async || rabbit.state(&queue).await.0 == 300).await;
        proxy.set(Link::Up).await;
    }
    reading.abort();
    rabbit.clean().await;
}

#[test(requires(RabbitMq))]
async fn one_process_reads_at_a_time_and_another_takes_over() {
    let rabbit = Rabbit::connect().await;
    let emitter = Emitter::new(&rabbit).await;
    let inbox = memory::Inbox::new();
    let (first, mut handled_first) = read(subscriber(&rabbit).await, &inbox, |_, _| Ok(()));
    emitter.say(0).await;
    assert_eq!(next(&mut handled_first).await, 0);
    let (second, mut handled_second) = read(subscriber(&rabbit).await, &inbox, |_, _| Ok(()));
    for number in 1..50 {
        emitter.say(number).await;
        assert_eq!(next(&mut handled_first).await, number);
    }
    handled_second.try_recv().unwrap_err();
    first.abort();
    emitter.say(50).await;
    assert_eq!(next(&mut handled_second).await, 50);
    all_answered(&rabbit, second).await;
    rabbit.clean().await;
}
