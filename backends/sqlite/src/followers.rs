//! Claims the flows that follow others.

use std::collections::HashSet;

use graceful_sql::values::{broken, count};
use sqlx::{Row as _, SqliteConnection};

/// The limit of the bodies of all followers of a claim.
const MOST_BYTES: i64 = 4 << 20;

/// Those of the chosen flows whose entities have more queued flows: few.
const LED: &str = "SELECT first.seq FROM json_each(?1) AS chosen CROSS JOIN graceful_flows AS first ON first.seq = chosen.value \
    WHERE EXISTS (SELECT 1 FROM graceful_flows AS next INDEXED BY graceful_flows_queued \
        WHERE next.state = 0 AND next.entity = first.entity AND next.seq > first.seq)";

/// Makes the claims lost that others have of the followers. They are in an index of their own.
const TAKE: &str = "UPDATE graceful_flows SET token = zeroblob(16), due = min(stored_at, ?2) WHERE seq IN ( \
    SELECT held.seq FROM json_each(?1) AS led CROSS JOIN graceful_flows AS first ON first.seq = led.value \
    CROSS JOIN graceful_flows AS held INDEXED BY graceful_flows_followers \
    ON held.entity = first.entity AND held.state = 0 AND held.head = 0 AND held.token <> zeroblob(16))";

/// The flows behind those that were never claimed before, in the order in which they were stored.
const BEHIND: &str = "SELECT first.seq AS head, behind.seq, length(behind.body) AS bytes, \
    behind.lane = first.lane AND behind.attempts = 0 AND behind.token IS NULL AND behind.due <= ?2 AS is_fit \
    FROM json_each(?1) AS led CROSS JOIN graceful_flows AS first ON first.seq = led.value \
    CROSS JOIN graceful_flows AS behind ON behind.seq IN ( \
        SELECT next.seq FROM graceful_flows AS next INDEXED BY graceful_flows_queued \
        WHERE next.state = 0 AND next.entity = first.entity AND next.seq > first.seq ORDER BY next.seq LIMIT ?3) \
    WHERE first.attempts = 0 AND first.token IS NULL ORDER BY behind.seq";

/// Returns the flows to claim behind the chosen ones, each with the one that it follows. What others hold of these entities is lost.
pub(super) async fn followers(
    connection: &mut SqliteConnection,
    chosen: &[i64],
    per_entity: usize,
    now: i64,
) -> Result<Vec<(i64, i64)>, sqlx::Error> {
    let led = sqlx::query_scalar(LED).bind(serde_json::to_string(chosen).map_err(broken)?);
    let led: Vec<i64> = led.fetch_all(&mut *connection).await?;
    if led.is_empty() {
        return Ok(Vec::new());
    }
    let led = serde_json::to_string(&led).map_err(broken)?;
    sqlx::query(TAKE).bind(&led).bind(now).execute(&mut *connection).await?;
    let behind = sqlx::query(BEHIND).bind(led).bind(now).bind(count(per_entity.saturating_sub(1)));
    let (mut followers, mut at_their_end, mut bytes) = (Vec::new(), HashSet::new(), 0);
    for row in behind.fetch_all(connection).await? {
        let head = row.try_get("head")?;
        if at_their_end.contains(&head) {
            continue;
        }
        bytes += row.try_get::<i64, _>("bytes")?;
        if bytes > MOST_BYTES || row.try_get::<i64, _>("is_fit")? == 0 {
            at_their_end.insert(head);
        } else {
            followers.push((row.try_get("seq")?, head));
        }
    }
    Ok(followers)
}
