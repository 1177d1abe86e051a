//! The connection that publishes, and the task that keeps it.

use std::{
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use graceful::{Text, backends::client::Outage};
use lapin::{
    BasicProperties, Channel, Confirmation, Event,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::ShortString,
};
use tokio::{
    sync::{Mutex as AsyncMutex, Semaphore, watch},
    task::JoinSet,
    time::sleep,
};
use tokio_stream::StreamExt as _;

use super::{
    connection::{Connection, Failure, pause, within},
    names::Key,
    topology,
    url::Url,
};

/// How many events are published at the same time. Each has a channel of its own, so that a confirm and a returned message can only be those
/// of this event, and so that an event which ends its channel ends no other event's.
const CHANNELS: usize = 32;

/// How long after the queues were declared again they are not.
const DECLARE_EVERY: Duration = Duration::from_secs(3);

/// A connection that is established again when it ends.
pub(super) struct Publisher {
    pub url: Url,
    state: watch::Receiver<State>,
    subscribers: Subscribers,
    /// The task, which ends with this value.
    _keeping: JoinSet<()>,
}

/// The subscribers whose queues are declared.
type Subscribers = Arc<Mutex<Vec<(String, Key)>>>;

#[derive(Clone)]
pub(super) enum State {
    Up(Arc<Live>),
    Down(Text),
}

impl Publisher {
    /// Connects at once, so that a wrong address or password is reported at start.
    pub(super) async fn connect(url: Url) -> Result<Self, Failure> {
        let subscribers: Subscribers = Arc::new(Mutex::new(url.subscribers.clone()));
        let live = Live::open(&url).await?;
        for (name, key) in &url.subscribers {
            topology::queue_of(&live.connection, &url, name, key).await?;
        }
        let (sender, state) = watch::channel(State::Up(Arc::clone(&live)));
        let mut keeping = JoinSet::new();
        keeping.spawn(keep(url.clone(), Arc::clone(&subscribers), live, sender));
        Ok(Self { url, state, subscribers, _keeping: keeping })
    }

    /// Declares the queue of a subscriber, now and with each later connection.
    pub(super) async fn declare(&self, name: &str, key: Key) -> Result<(), Failure> {
        let live = within(&self.url, self.live()).await?;
        topology::queue_of(&live.connection, &self.url, name, &key).await?;
        let mut subscribers = lock(&self.subscribers);
        subscribers.retain(|(known, _)| known != name);
        subscribers.push((name.to_owned(), key));
        Ok(())
    }

    /// Declares all known queues again, at most once at a time and every few seconds. Returns whether that has been done since this call. If
    /// this future is dropped, it is done all the same.
    pub(super) async fn declare_again(&self, live: &Arc<Live>) -> bool {
        let (url, live, called) = (self.url.clone(), Arc::clone(live), Instant::now());
        let subscribers = lock(&self.subscribers).clone();
        if subscribers.is_empty() {
            return false;
        }
        let declaring = tokio::spawn(async move {
            let mut declared = live.declared.lock().await;
            if let Some(at) = *declared
                && (at >= called || at.elapsed() < DECLARE_EVERY)
            {
                return at >= called;
            }
            live.declare(&url, &subscribers).await;
            *declared = Some(Instant::now());
            true
        });
        declaring.await.unwrap_or(false)
    }

    /// Waits for a connection. Fails if there will be none.
    pub(super) async fn live(&self) -> Result<Arc<Live>, Failure> {
        let mut state = self.state.clone();
        loop {
            if let State::Up(live) = &*state.borrow_and_update() {
                return Ok(Arc::clone(live));
            }
            if state.changed().await.is_err() {
                return Err(Failure::of(&self.url, "cannot be used: the runtime of the emitter has ended"));
            }
        }
    }

    /// Why nothing can be published now, or not to each known queue.
    pub(super) fn trouble(&self) -> Option<Text> {
        match &*self.state.borrow() {
            State::Up(live) => live.blocked().or_else(|| lock(&live.undeclared).clone()),
            State::Down(why) => Some(why.clone()),
        }
    }

    /// Why the broker takes no event for now, if it has said so.
    pub(super) fn blocked(&self) -> Option<Text> {
        match &*self.state.borrow() {
            State::Up(live) => live.blocked(),
            State::Down(_) => None,
        }
    }
}

async fn keep(url: Url, subscribers: Subscribers, mut live: Arc<Live>, state: watch::Sender<State>) {
    let outage = Outage::new();
    loop {
        let why = live.ended(&url).await;
        drop(live);
        state.send_replace(State::Down(why));
        let mut attempts = 0;
        live = loop {
            sleep(pause(attempts)).await;
            match Live::open(&url).await {
                Ok(live) => {
                    // Events for other queues need not wait for one that cannot be declared.
                    let subscribers = lock(&subscribers).clone();
                    live.declare(&url, &subscribers).await;
                    break live;
                }
                Err(Failure { error, .. }) => {
                    if let Some(failures) = outage.failed() {
                        tracing::warn!(target: "graceful::step", %error, failures, "connecting to publish events failed; it is tried again");
                    }
                    state.send_replace(State::Down(error.to_string().into()));
                    attempts += 1;
                }
            }
        };
        if let Some(failures) = outage.succeeded() {
            tracing::info!(target: "graceful::step", place = url.place, failures, "connecting to publish events works again");
        }
        state.send_replace(State::Up(Arc::clone(&live)));
    }
}

/// A connection that is up, or has just ended.
pub(super) struct Live {
    connection: Connection,
    events: Mutex<Option<EventStream>>,
    /// Channels without a message on its way.
    idle: Mutex<Vec<Channel>>,
    room: Semaphore,
    /// Why the broker takes no messages, while that is so.
    blocked: watch::Sender<Option<Text>>,
    /// When the queues were last declared again.
    declared: AsyncMutex<Option<Instant>>,
    /// Why the queue of a subscriber could not be declared.
    undeclared: Mutex<Option<Text>>,
}

type EventStream = Pin<Box<dyn tokio_stream::Stream<Item = Event> + Send>>;

/// A message, of which a copy is sent with each attempt.
pub(super) struct Message {
    pub exchange: ShortString,
    pub key: ShortString,
    pub body: Vec<u8>,
    pub properties: BasicProperties,
}

/// The broker's answer to a message.
pub(super) enum Confirmed {
    Stored,
    /// No queue takes it.
    Returned,
    /// The broker could not store it.
    Refused,
    /// The broker has said that it takes no messages for now.
    Blocked(Text),
}

impl Live {
    async fn open(url: &Url) -> Result<Arc<Self>, Failure> {
        let connection = Connection::open(url).await?;
        topology::exchange(&connection, url).await?;
        let events: EventStream = Box::pin(connection.events_listener());
        Ok(Arc::new(Self {
            connection,
            events: Mutex::new(Some(events)),
            idle: Mutex::default(),
            room: Semaphore::new(CHANNELS),
            blocked: watch::Sender::new(None),
            declared: AsyncMutex::default(),
            undeclared: Mutex::default(),
        }))
    }

    /// Declares the queues of these subscribers. One that cannot be declared is logged, and shown in the health of the process.
    async fn declare(&self, url: &Url, subscribers: &[(String, Key)]) {
        let mut undeclared = None;
        for (name, key) in subscribers {
            if let Err(Failure { error, .. }) = topology::queue_of(&self.connection, url, name, key).await {
                tracing::warn!(target: "graceful::step", %error, subscriber = name, "the queue of a subscriber cannot be declared");
                undeclared = Some(error.to_string().into());
            }
        }
        *lock(&self.undeclared) = undeclared;
    }

    /// Waits for the end of the connection, and returns why it has ended.
    async fn ended(&self, url: &Url) -> Text {
        let events = lock(&self.events).take();
        let mut events = events.unwrap_or_else(|| Box::pin(tokio_stream::empty()));
        let mut why = None;
        let mut ended = pin!(self.connection.ended());
        loop {
            tokio::select! {
                biased;
                () = &mut ended => break,
                Some(event) = events.next() => match event {
                    Event::ConnectionBlocked(reason) => self.block(url, &reason),
                    Event::ConnectionUnblocked => self.unblock(url),
                    // It may be that of a channel only.
                    Event::Error(error) => why = Some(Failure::using(url, "the connection", &error)),
                    _ => {}
                },
            }
        }
        let why = why.unwrap_or_else(|| Failure::of(url, "has closed the connection"));
        why.error.to_string().into()
    }

    fn block(&self, url: &Url, reason: &str) {
        tracing::warn!(target: "graceful::step", place = url.place, reason, "the broker blocks publishers");
        self.blocked.send_replace(Some(format!("{} blocks publishers: {reason}", url.place).into()));
    }

    fn unblock(&self, url: &Url) {
        tracing::info!(target: "graceful::step", place = url.place, "the broker takes events again");
        self.blocked.send_replace(None);
    }

    fn blocked(&self) -> Option<Text> {
        self.blocked.borrow().clone()
    }

    /// Publishes a message and waits for the broker's answer. If this future is dropped, or fails, the channel is thrown away with it.
    pub(super) async fn publish(&self, message: &Message) -> Result<Confirmed, lapin::Error> {
        let mut blocked = self.blocked.subscribe();
        tokio::select! {
            biased;
            reason = blocked.wait_for(Option::is_some) => {
                let reason = reason.ok().and_then(|reason| reason.clone()).unwrap_or_default();
                Ok(Confirmed::Blocked(reason))
            }
            confirmed = self.connection.while_open(self.confirmed(message)) => confirmed,
        }
    }

    async fn confirmed(&self, message: &Message) -> Result<Confirmed, lapin::Error> {
        // It is never closed.
        let _place = self.room.acquire().await;
        let idle = lock(&self.idle).pop();
        let channel = match idle.filter(|channel| channel.status().connected()) {
            Some(channel) => channel,
            None => {
                let channel = self.connection.create_channel().await?;
                channel.confirm_select(ConfirmSelectOptions::default()).await?;
                channel
            }
        };
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let (exchange, key) = (message.exchange.clone(), message.key.clone());
        let properties = message.properties.clone();
        let sent = channel.basic_publish(exchange, key, options, &message.body, properties).await?;
        let confirmed = match sent.await? {
            Confirmation::Ack(None) => Confirmed::Stored,
            // The only message on the channel, so it is this one.
            Confirmation::Ack(Some(_)) => Confirmed::Returned,
            Confirmation::Nack(_) | Confirmation::NotRequested => Confirmed::Refused,
        };
        lock(&self.idle).push(channel);
        Ok(confirmed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
