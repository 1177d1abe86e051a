//! The processes that read, and the partitions that they hold.

use std::time::Duration;

use graceful::backends::{HeldPartition, Join, Joined, PARTITIONS, ReaderId};
use sqlx::{AssertSqlSafe, ColumnIndex, Error, Executor, Row as _};
use uuid::Uuid;

use super::{in_bits, partition_of};
use crate::{
    dialect::{Connection, Dialect, Row, Tables, Value},
    values::{length, position},
};

/// For how long a handled event is stored after the position of its partition has passed it: an interrupted process may still try to record it.
const FENCE_RETENTION: Duration = Duration::from_mins(2);

/// How many fences a process deletes when it joins.
const FENCES_AT_ONCE: i64 = 10_000;

/// A partition as it is stored.
struct Partition {
    number: u8,
    process: Option<Uuid>,
    handled_to: u64,
    begun_to: u64,
}

impl Partition {
    const fn bit(&self) -> u32 {
        1 << self.number
    }
}

impl<D: Dialect> Tables<D>
where
    for<'c> &'c mut Connection<D>: Executor<'c, Database = D::Database>,
    for<'v> &'v str: ColumnIndex<Row<D>> + Value<'v, D>,
    for<'v> String: Value<'v, D>,
    for<'v> i16: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
    for<'v> bool: Value<'v, D>,
    for<'v> Uuid: Value<'v, D>,
{
    /// Announces a process, and gives it free partitions up to its share; in a transaction.
    pub async fn join_readers(
        connection: &mut Connection<D>,
        reader: &ReaderId,
        join: Join,
    ) -> Result<Joined, Error> {
        let Some(subscriber) = Self::subscriber(&mut *connection, &reader.subscriber).await? else {
            return Ok(Joined::default());
        };
        let processes =
            Self::announce_reader(&mut *connection, subscriber, reader.process, join.lease).await?;
        let share = u32::from(PARTITIONS).div_ceil(u32::try_from(processes.len()).unwrap_or(u32::MAX).max(1));
        let mut partitions = Self::partitions(&mut *connection, subscriber).await?;
        let is_held = |partition: &Partition| partition.process == Some(reader.process);
        let mut missing = usize::try_from(share).unwrap_or_default();
        missing = missing.saturating_sub(partitions.iter().filter(|partition| is_held(partition)).count());
        let is_free =
            |partition: &Partition| partition.process.is_none_or(|process| !processes.contains(&process));
        let mut claimed = 0;
        for partition in partitions.iter_mut().filter(|partition| is_free(partition)).take(missing) {
            partition.process = Some(reader.process);
            claimed |= partition.bit();
        }
        Self::give(&mut *connection, subscriber, reader.process, claimed).await?;
        let copies = match join.copies {
            true => Self::claim_copying(&mut *connection, subscriber, reader.process, &processes).await?,
            false => false,
        };
        Self::delete_passed(&mut *connection, subscriber).await?;
        partitions.retain(is_held);
        let held = partitions.iter().fold(0, |bits, partition| bits | partition.bit());
        // What it was given now may have been another's meanwhile, even if it believes to hold it.
        partitions.retain(|partition| (!join.known | claimed) & partition.bit() != 0);
        let new = Self::held_partitions(connection, subscriber, &partitions).await?;
        Ok(Joined::new(held, new, share, copies))
    }

    /// Extends the lease of a process, and returns those that are alive.
    async fn announce_reader(
        connection: &mut Connection<D>,
        subscriber: i64,
        process: Uuid,
        lease: Duration,
    ) -> Result<Vec<Uuid>, Error> {
        let expired = format!(
            "DELETE FROM graceful_subscriber_processes WHERE subscriber = $1 AND expires <= {}",
            D::NOW
        );
        sqlx::query(AssertSqlSafe(expired)).bind(subscriber).execute(&mut *connection).await?;
        let announce = format!(
            "INSERT INTO graceful_subscriber_processes (subscriber, process, expires) VALUES ($1, $2, {} + $3) \
             ON CONFLICT (subscriber, process) DO UPDATE SET expires = excluded.expires",
            D::NOW
        );
        let announce =
            sqlx::query(AssertSqlSafe(announce)).bind(subscriber).bind(process).bind(length(lease));
        announce.execute(&mut *connection).await?;
        let alive = sqlx::query("SELECT process FROM graceful_subscriber_processes WHERE subscriber = $1");
        let alive = alive.bind(subscriber).fetch_all(connection).await?;
        alive.iter().map(|row| row.try_get("process")).collect()
    }

    async fn partitions(connection: &mut Connection<D>, subscriber: i64) -> Result<Vec<Partition>, Error> {
        let query = sqlx::query(
            "SELECT partition, process, handled_to, begun_to FROM graceful_partitions WHERE subscriber = $1 ORDER BY partition",
        );
        let rows = query.bind(subscriber).fetch_all(connection).await?;
        let partition = |row: &Row<D>| {
            Ok(Partition {
                number: u8::try_from(row.try_get::<i16, _>("partition")?).unwrap_or_default() % PARTITIONS,
                process: row.try_get("process")?,
                handled_to: Self::number(row, "handled_to")?,
                begun_to: Self::number(row, "begun_to")?,
            })
        };
        rows.iter().map(partition).collect()
    }

    async fn give(
        connection: &mut Connection<D>,
        subscriber: i64,
        process: Uuid,
        partitions: u32,
    ) -> Result<(), Error> {
        if partitions == 0 {
            return Ok(());
        }
        let give = format!(
            "UPDATE graceful_partitions SET process = $2 WHERE subscriber = $1 AND {}$3",
            in_bits("partition")
        );
        let give =
            sqlx::query(AssertSqlSafe(give)).bind(subscriber).bind(process).bind(i64::from(partitions));
        give.execute(connection).await.map(drop)
    }

    /// Whether a process copies, which it begins to do if no process that is alive does.
    async fn claim_copying(
        connection: &mut Connection<D>,
        subscriber: i64,
        process: Uuid,
        alive: &[Uuid],
    ) -> Result<bool, Error> {
        let copier = sqlx::query("SELECT copier FROM graceful_subscribers WHERE id = $1").bind(subscriber);
        let copier: Option<Uuid> = copier.fetch_one(&mut *connection).await?.try_get("copier")?;
        if let Some(copier) = copier.filter(|copier| alive.contains(copier)) {
            return Ok(copier == process);
        }
        let claim = sqlx::query("UPDATE graceful_subscribers SET copier = $2 WHERE id = $1");
        claim.bind(subscriber).bind(process).execute(connection).await.map(|_| true)
    }

    /// Deletes attempts and handled events that the positions of their partitions have passed. A row that an open transaction has locked stays.
    async fn delete_passed(connection: &mut Connection<D>, subscriber: i64) -> Result<(), Error> {
        let passed = |table: &str| {
            format!(
                "position <= (SELECT handled_to FROM graceful_partitions AS partition \
                 WHERE partition.subscriber = {table}.subscriber AND partition.partition = ({table}.entity & 31))"
            )
        };
        let attempts = format!(
            "DELETE FROM graceful_subscriber_attempts WHERE subscriber = $1 AND {} AND NOT EXISTS \
             (SELECT 1 FROM graceful_parked_events AS parked WHERE parked.subscriber = graceful_subscriber_attempts.subscriber \
             AND parked.position = graceful_subscriber_attempts.position)",
            passed("graceful_subscriber_attempts")
        );
        sqlx::query(AssertSqlSafe(attempts)).bind(subscriber).execute(&mut *connection).await?;
        let fences = format!(
            "DELETE FROM graceful_fences WHERE subscriber = $1 AND entity IN (SELECT entity FROM graceful_fences \
             WHERE subscriber = $1 AND at <= {} - $2 AND {} LIMIT $3 {})",
            D::NOW,
            passed("graceful_fences"),
            D::SKIP_LOCKED
        );
        let fences = sqlx::query(AssertSqlSafe(fences)).bind(subscriber).bind(length(FENCE_RETENTION));
        fences.bind(FENCES_AT_ONCE).execute(connection).await.map(drop)
    }

    /// Reads the state of partitions.
    async fn held_partitions(
        connection: &mut Connection<D>,
        subscriber: i64,
        partitions: &[Partition],
    ) -> Result<Vec<HeldPartition>, Error> {
        let mut states: Vec<_> = partitions
            .iter()
            .map(|partition| HeldPartition::new(partition.number, partition.handled_to, partition.begun_to))
            .collect();
        if states.is_empty() {
            return Ok(states);
        }
        let bits = partitions.iter().fold(0, |bits, partition| bits | i64::from(partition.bit()));
        let after =
            position(partitions.iter().map(|partition| partition.handled_to).min().unwrap_or_default());
        let of_partitions = in_bits("(entity & 31)");
        let mut rows_of = async |select: &str, after: i64| {
            let statement = format!(
                "{select} WHERE subscriber = $1 AND position > $2 AND {of_partitions}$3 ORDER BY position"
            );
            let query = sqlx::query(AssertSqlSafe(statement)).bind(subscriber).bind(after).bind(bits);
            query.fetch_all(&mut *connection).await
        };
        let fences = rows_of("SELECT entity, position FROM graceful_fences", after).await?;
        let attempts =
            rows_of("SELECT entity, position, attempts FROM graceful_subscriber_attempts", after).await?;
        let parked = rows_of("SELECT entity, position FROM graceful_parked_events", -1).await?;
        for state in &mut states {
            let is_here = |entity: i64| partition_of(entity) == i16::from(state.partition);
            for row in &fences {
                let (entity, position) = (row.try_get("entity")?, Self::number(row, "position")?);
                if is_here(entity) && position > state.handled_to {
                    state.handled.push((entity, position));
                }
            }
            for row in &attempts {
                let (entity, position) = (row.try_get("entity")?, Self::number(row, "position")?);
                if is_here(entity) && position > state.handled_to {
                    state.attempts.push((position, Self::number(row, "attempts")?));
                }
            }
            for row in &parked {
                let entity = row.try_get("entity")?;
                if is_here(entity) && !state.parked.contains(&entity) {
                    state.parked.push(entity);
                }
            }
        }
        Ok(states)
    }

    /// Gives partitions back; in a transaction.
    pub async fn release_partitions(
        connection: &mut Connection<D>,
        reader: &ReaderId,
        partitions: u32,
    ) -> Result<(), Error> {
        let Some(subscriber) = Self::subscriber(&mut *connection, &reader.subscriber).await? else {
            return Ok(());
        };
        let release = format!(
            "UPDATE graceful_partitions SET process = NULL WHERE subscriber = $1 AND process = $2 AND {}$3",
            in_bits("partition")
        );
        let release = sqlx::query(AssertSqlSafe(release)).bind(subscriber).bind(reader.process);
        release.bind(i64::from(partitions)).execute(&mut *connection).await?;
        if partitions == u32::MAX {
            for leave in [
                "DELETE FROM graceful_subscriber_processes WHERE subscriber = $1 AND process = $2",
                "UPDATE graceful_subscribers SET copier = NULL WHERE id = $1 AND copier = $2",
            ] {
                sqlx::query(leave).bind(subscriber).bind(reader.process).execute(&mut *connection).await?;
            }
        }
        Ok(())
    }

    /// Counts an attempt at an event. Returns 0 if the process does not hold its partition.
    pub async fn attempted(
        connection: &mut Connection<D>,
        reader: &ReaderId,
        entity: i64,
        at: u64,
    ) -> Result<u32, Error> {
        let count = sqlx::query(
            "INSERT INTO graceful_subscriber_attempts AS known (subscriber, position, entity, attempts) \
             SELECT id, $2, $3, 1 FROM graceful_subscribers JOIN graceful_partitions ON subscriber = id \
             WHERE key = $1 AND process = $4 AND partition = ($3 & 31) \
             ON CONFLICT (subscriber, position) DO UPDATE SET attempts = known.attempts + 1 RETURNING attempts",
        );
        let count = count.bind(Self::subscriber_key(&reader.subscriber)).bind(position(at)).bind(entity);
        let count = count.bind(reader.process);
        let counted = count.fetch_optional(connection).await?;
        counted.map_or(Ok(0), |row| Self::number(&row, "attempts"))
    }
}
