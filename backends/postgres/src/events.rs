//! The event log.

use std::{sync::Arc, time::Duration};

use graceful::{
    Event, Text,
    backends::{BoxFuture, Destination, EventEmitter, EventLog, LogEntry, LogPage, LogQuery, LogSpan, Reply},
};
use sqlx::PgConnection;

use super::{
    Failed, Store, Tables,
    batches::{Batched, Batches},
    text::escaped,
};

/// One statement takes the lock, assigns the positions and commits. Until the commit no other process assigns any, so the order of positions is that of
/// commits, and the lock is never held while a message is under way. An event that is emitted again is appended once.
const APPEND: &str = "WITH appended AS (\
    INSERT INTO graceful_events (id, aggregatetype, aggregateid, type, payload, source, tenant, entity, at) \
    SELECT given.*, graceful_now() FROM (\
    SELECT pg_advisory_xact_lock(hashtextextended('graceful_events ' || current_schema(), 0)) IS NOT NULL AS is_locked OFFSET 0\
    ) AS alone, unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[]) AS given \
    WHERE alone.is_locked ON CONFLICT (id) DO NOTHING RETURNING position) \
    SELECT max(position) FROM appended";

async fn append(connection: &mut PgConnection, entries: &[Arc<LogEntry>]) -> Result<u64, sqlx::Error> {
    let texts = |text: fn(&LogEntry) -> &str| column(entries, |entry| escaped(text(entry)));
    let newest: Option<i64> = sqlx::query_scalar(APPEND)
        .bind(column(entries, |entry| entry.id))
        .bind(texts(|entry| &entry.pattern))
        .bind(texts(|entry| &entry.entity_id))
        .bind(texts(|entry| &entry.name))
        .bind(column(entries, |entry| entry.body.as_str()))
        .bind(texts(|entry| &entry.service))
        .bind(texts(|entry| &entry.tenant))
        .bind(column(entries, |entry| entry.entity))
        .fetch_one(connection)
        .await?;
    Ok(newest.unwrap_or_default().unsigned_abs())
}

fn column<'a, T>(entries: &'a [Arc<LogEntry>], value: impl Fn(&'a LogEntry) -> T) -> Vec<T> {
    entries.iter().map(|entry| value(entry)).collect()
}

impl Batched for LogEntry {
    type Answer = ();

    fn batches(store: &Store) -> &Batches<Self> {
        &store.waiting.events
    }

    fn write(store: Store, entries: Vec<Arc<Self>>, limit: Duration) -> BoxFuture<Result<Vec<()>, Failed>> {
        Box::pin(async move {
            let (attempt, answers) = (store.breaker.admit()?, vec![(); entries.len()]);
            let append = store.attempted(attempt, limit, move |connection| {
                Box::pin(async move { append(connection, &entries).await })
            });
            store.newest_event.appended(append.await?);
            Ok(answers)
        })
    }
}

impl EventEmitter for Store {
    fn emit(&self, event: Event) -> Reply<()> {
        match LogEntry::of(&event) {
            Ok(entry) => self.write(entry),
            Err(error) => Reply::failed(error),
        }
    }

    fn destination(&self) -> Option<Destination> {
        Some(Destination::new("postgresql", "graceful_events"))
    }

    fn degradation(&self) -> Option<Text> {
        let outage = self.breaker.outage()?;
        Some(Text::from(format_args!("events cannot be appended to the event log: {outage}")))
    }

    fn log(&self) -> Option<Arc<dyn EventLog>> {
        Some(Arc::new(self.clone()))
    }
}

impl EventLog for Store {
    fn read(&self, query: LogQuery) -> Reply<LogPage> {
        self.run(move |connection| Box::pin(async move { Tables::read_log(connection, &query).await }))
    }

    fn span(&self) -> Reply<LogSpan> {
        self.run(|connection| Box::pin(Tables::log_span(connection)))
    }

    fn appended(&self, after: u64) -> Reply<()> {
        self.newest_event.after(after)
    }

    fn purge(&self) -> Reply<u64> {
        self.run(|connection| {
            Box::pin(async move {
                match Tables::log_purgeable(connection).await? {
                    Some(to) => Tables::purge_log(connection, to).await,
                    None => Ok(0),
                }
            })
        })
    }
}
