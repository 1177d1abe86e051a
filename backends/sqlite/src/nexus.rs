//! The registry of patterns.

use std::sync::Arc;

use graceful::{
    Flow, Key,
    backends::{Nexus, PatternTrace, PatternUse, Reply},
};
use graceful_sql::indexed;
use smol_str::SmolStr;
use sqlx::{Row as _, SqliteConnection};

use super::{KEPT_PER_ENTITY, Store, at, id, micros};

async fn register(connection: &mut SqliteConnection, flow: &Flow) -> Result<(), sqlx::Error> {
    let (pattern, entity) = (indexed(&flow.registered_pattern()).into_owned(), flow.nexus_key().to_string());
    let traced = sqlx::query(
        "INSERT INTO graceful_traces (flow, entity, pattern, at) VALUES (?, ?, ?, ?) ON CONFLICT (flow) DO NOTHING",
    )
    .bind(flow.id().as_bytes().as_slice())
    .bind(&entity)
    .bind(pattern.as_str())
    .bind(micros(flow.timestamp()))
    .execute(&mut *connection)
    .await?;
    // A flow that is delivered again is one use.
    if traced.rows_affected() == 0 {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO graceful_patterns (pattern, count, first_used, last_used) VALUES (?1, 1, ?2, ?2) \
         ON CONFLICT (pattern) DO UPDATE SET count = count + 1, first_used = min(first_used, ?2), \
         last_used = max(last_used, ?2)",
    )
    .bind(pattern.as_str())
    .bind(micros(flow.timestamp()))
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "DELETE FROM graceful_traces WHERE entity = ?1 AND at < \
         (SELECT at FROM graceful_traces WHERE entity = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2)",
    )
    .bind(&entity)
    .bind(KEPT_PER_ENTITY - 1)
    .execute(connection)
    .await?;
    Ok(())
}

impl Nexus for Store {
    fn register(&self, flow: &Arc<Flow>) -> Reply<()> {
        let flow = Arc::clone(flow);
        self.writer().write(move |connection| {
            let flow = Arc::clone(&flow);
            Box::pin(async move { register(connection, &flow).await })
        })
    }

    fn patterns(&self) -> Reply<Vec<PatternUse>> {
        self.read(|connection| {
            Box::pin(async {
                let query = sqlx::query("SELECT * FROM graceful_patterns ORDER BY pattern");
                let rows = query.fetch_all(connection).await?;
                let used = rows.iter().map(|row| {
                    Ok(PatternUse {
                        pattern: SmolStr::new(row.try_get::<&str, _>("pattern")?),
                        count: row.try_get("count")?,
                        first_used: at(row.try_get("first_used")?),
                        last_used: at(row.try_get("last_used")?),
                    })
                });
                used.collect()
            })
        })
    }

    fn trace(&self, entity: &Key) -> Reply<Vec<PatternTrace>> {
        let entity = entity.to_string();
        self.read(move |connection| {
            Box::pin(async move {
                let query = sqlx::query("SELECT * FROM graceful_traces WHERE entity = ? ORDER BY at, flow");
                let rows = query.bind(entity).fetch_all(connection).await?;
                let traced = rows.iter().map(|row| {
                    Ok(PatternTrace {
                        pattern: SmolStr::new(row.try_get::<&str, _>("pattern")?),
                        flow: id(row, "flow")?,
                        at: at(row.try_get("at")?),
                    })
                });
                traced.collect()
            })
        })
    }
}
