//! The event log.

use std::sync::Arc;

use graceful::{
    Event, Text,
    backends::{Destination, EventEmitter, EventLog, LogEntry, LogPage, LogQuery, LogSpan, Reply},
};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::{Store, Tables, now};

/// Appends events in one statement, and returns the position of the newest. There is one writer, so the order of positions is that of commits. An
/// event that is emitted again is appended once.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    entries: &[LogEntry],
) -> Result<u64, sqlx::Error> {
    if entries.is_empty() {
        return Ok(0);
    }
    let at = now();
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO graceful_events (id, aggregatetype, aggregateid, type, payload, source, tenant, entity, at) ",
    );
    query.push_values(entries, |mut row, entry| {
        row.push_bind(entry.id)
            .push_bind(&*entry.pattern)
            .push_bind(&*entry.entity_id)
            .push_bind(&*entry.name)
            .push_bind(&*entry.body)
            .push_bind(&*entry.service)
            .push_bind(&*entry.tenant)
            .push_bind(entry.entity)
            .push_bind(at);
    });
    query.push(" ON CONFLICT (id) DO NOTHING RETURNING position");
    let query = query.build_query_scalar::<i64>().persistent(entries.len() == 1);
    let positions = query.fetch_all(connection).await?;
    Ok(positions.into_iter().max().unwrap_or_default().unsigned_abs())
}

impl EventEmitter for Store {
    fn emit(&self, event: Event) -> Reply<()> {
        match LogEntry::of(&event) {
            Ok(entry) => self.writer().append(entry),
            Err(error) => Reply::failed(error),
        }
    }

    fn destination(&self) -> Option<Destination> {
        Some(Destination::new("sqlite", "graceful_events"))
    }

    fn degradation(&self) -> Option<Text> {
        let lost = self.0.file.check().err()?;
        Some(Text::from(format_args!("events cannot be appended to the event log: {lost}")))
    }

    fn log(&self) -> Option<Arc<dyn EventLog>> {
        Some(Arc::new(self.clone()))
    }
}

impl EventLog for Store {
    fn read(&self, query: LogQuery) -> Reply<LogPage> {
        self.read(move |connection| Box::pin(async move { Tables::read_log(connection, &query).await }))
    }

    fn span(&self) -> Reply<LogSpan> {
        self.read(|connection| Box::pin(Tables::log_span(connection)))
    }

    fn appended(&self, after: u64) -> Reply<()> {
        self.0.newest_event.after(after)
    }

    fn purge(&self) -> Reply<u64> {
        let store = self.clone();
        Reply::pending(async move {
            let purgeable = store.read(|connection| Box::pin(Tables::log_purgeable(connection)));
            // Without rows to delete it does not wait for the writer.
            let Some(to) = purgeable.await? else { return Ok(0) };
            store.writer().write(move |connection| Box::pin(Tables::purge_log(connection, to))).await
        })
    }
}
