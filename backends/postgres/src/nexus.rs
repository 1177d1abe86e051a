//! The registry of patterns.

use std::sync::Arc;

use graceful::{
    Flow, Key,
    backends::{Nexus, PatternTrace, PatternUse, Reply},
};
use graceful_sql::indexed;
use smol_str::SmolStr;
use sqlx::{PgConnection, Row as _};

use super::{
    KEPT_PER_ENTITY, Store, at, micros, number,
    text::{escaped, unescaped},
};

async fn register(connection: &mut PgConnection, flow: &Flow) -> Result<(), sqlx::Error> {
    let (pattern, entity) = (escaped(&indexed(&flow.registered_pattern())), flow.nexus_key().to_string());
    let mut transaction = super::begin(connection).await?;
    let traced = sqlx::query(
        "INSERT INTO graceful_traces (flow, entity, pattern, at) VALUES ($1, $2, $3, $4) ON CONFLICT (flow) DO NOTHING",
    )
    .bind(flow.id())
    .bind(&entity)
    .bind(&pattern)
    .bind(micros(flow.timestamp()))
    .execute(&mut *transaction)
    .await?;
    // A flow that is delivered again is one use.
    if traced.rows_affected() == 0 {
        return Ok(());
    }
    sqlx::query(
        // Those that another call is deleting are skipped: all calls of a pattern that name no entity share a list.
        "DELETE FROM graceful_traces WHERE flow IN (SELECT flow FROM graceful_traces WHERE entity = $1 AND at < \
         (SELECT at FROM graceful_traces WHERE entity = $1 ORDER BY at DESC LIMIT 1 OFFSET $2) FOR UPDATE SKIP LOCKED)",
    )
    .bind(&entity)
    .bind(KEPT_PER_ENTITY - 1)
    .execute(&mut *transaction)
    .await?;
    // Last, since all who use the pattern wait for this row.
    sqlx::query(
        "INSERT INTO graceful_patterns AS known (pattern, count, first_used, last_used) VALUES ($1, 1, $2, $2) \
         ON CONFLICT (pattern) DO UPDATE SET count = known.count + 1, first_used = least(known.first_used, $2), \
         last_used = greatest(known.last_used, $2)",
    )
    .bind(&pattern)
    .bind(micros(flow.timestamp()))
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}

impl Nexus for Store {
    fn register(&self, flow: &Arc<Flow>) -> Reply<()> {
        let flow = Arc::clone(flow);
        self.run(move |connection| Box::pin(async move { register(connection, &flow).await }))
    }

    fn patterns(&self) -> Reply<Vec<PatternUse>> {
        self.run(|connection| {
            Box::pin(async {
                // As bytes, whatever the database's collation.
                let query = sqlx::query("SELECT * FROM graceful_patterns ORDER BY pattern COLLATE \"C\"");
                let rows = query.fetch_all(connection).await?;
                let used = rows.iter().map(|row| {
                    Ok(PatternUse {
                        pattern: SmolStr::new(unescaped(row.try_get("pattern")?)),
                        count: number(row.try_get("count")?)?,
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
        self.run(move |connection| {
            Box::pin(async move {
                let query = sqlx::query("SELECT * FROM graceful_traces WHERE entity = $1 ORDER BY at, flow");
                let rows = query.bind(entity).fetch_all(connection).await?;
                let traced = rows.iter().map(|row| {
                    Ok(PatternTrace {
                        pattern: SmolStr::new(unescaped(row.try_get("pattern")?)),
                        flow: row.try_get("flow")?,
                        at: at(row.try_get("at")?),
                    })
                });
                traced.collect()
            })
        })
    }
}
