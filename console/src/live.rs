//! Live updates: the texts that change while a page is open.

use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::RawQuery,
    response::{IntoResponse, Response, Sse, sse::Event},
    routing::get,
};
use http::StatusCode;
use serde_json::{Map, Value};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Instant, sleep},
};
use tokio_stream::wrappers::ReceiverStream;

use crate::{
    Shared,
    page::{PageError, problem, within},
    pages,
    request::{Query, View},
};

/// How many pages may be live at once.
const CLIENTS: usize = 100;

/// How many updates wait for a slow client.
const WAITING: usize = 4;

/// How long an update waits for a slow client, which then is live no more.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the access is asked for again, and something is sent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The places for live pages.
#[derive(Debug)]
pub(crate) struct Slots(Arc<Semaphore>);

impl Default for Slots {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(CLIENTS)))
    }
}

pub(crate) fn routes(router: Router<Arc<Shared>>, at: &str) -> Router<Arc<Shared>> {
    router.route(&format!("{at}/live"), get(live))
}

async fn live(Extension(view): Extension<View>, RawQuery(query): RawQuery) -> Response {
    let asked = match Asked::parse(query.as_deref().unwrap_or_default()) {
        Ok(asked) => asked,
        Err(error) => return error.problem(),
    };
    let Ok(slot) = Arc::clone(&view.shared.slots.0).try_acquire_owned() else {
        // An `EventSource` gives up for good.
        return problem(StatusCode::SERVICE_UNAVAILABLE, "too many pages are live");
    };
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(updates(view, asked, sender, slot));
    Sse::new(ReceiverStream::new(receiver)).into_response()
}

/// Which page, and how often.
#[derive(Debug)]
struct Asked {
    page: String,
    query: String,
    every: Duration,
}

impl Asked {
    fn parse(query: &str) -> Result<Self, PageError> {
        let mut query = Query::parse(query.as_bytes());
        let (page, shown) =
            (query.take("page")?.unwrap_or_default(), query.take("query")?.unwrap_or_default());
        let every = query.take_parsed("every")?.unwrap_or(5);
        query.end()?;
        if !(1..=60).contains(&every) {
            return Err(PageError::invalid("`every` is a number of seconds from 1 to 60"));
        }
        Ok(Self { page, query: shown, every: Duration::from_secs(every) })
    }
}

/// Sends what has changed, until the client is gone or too slow, has lost its access, or the process shuts down.
async fn updates(
    mut view: View,
    asked: Asked,
    sender: mpsc::Sender<Result<Event, Infallible>>,
    _slot: OwnedSemaphorePermit,
) {
    let orchestrator = view.orchestrator().clone();
    let work = async {
        let (mut sent, mut checked, mut due) = (HashMap::new(), Instant::now(), Duration::ZERO);
        loop {
            sleep(due.min(KEEP_ALIVE)).await;
            if checked.elapsed() >= KEEP_ALIVE {
                checked = Instant::now();
                let access = view.shared.gate.ask(view.parts.clone()).await;
                if access.refusal().is_some() || access.who() != view.access.who() {
                    return;
                }
                view.access = access;
            }
            due = due.saturating_sub(KEEP_ALIVE);
            let event = if due.is_zero() {
                due = asked.every;
                changes(&view, &asked, &mut sent).await
            } else {
                Event::default().comment("")
            };
            if sender.send_timeout(Ok(event), PATIENCE).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = work => {}
        () = sender.closed() => {}
        () = orchestrator.shutdown_begins() => {}
    }
}

/// The cells that have changed since the last update, as JSON; a comment if none has.
async fn changes(view: &View, asked: &Asked, sent: &mut HashMap<String, String>) -> Event {
    let Ok(cells) = within(pages::cells(view, &asked.page, &asked.query)).await else {
        return Event::default().comment("the page cannot be read");
    };
    let mut changed = Map::new();
    for (name, value) in cells {
        if sent.get(&name) != Some(&value) {
            changed.insert(name.clone(), Value::String(value.clone()));
            sent.insert(name, value);
        }
    }
    match changed.is_empty() {
        true => Event::default().comment(""),
        false => Event::default().data(Value::Object(changed).to_string()),
    }
}
