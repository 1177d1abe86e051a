//! Claims flows.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use graceful::backends::{
    Claim, Lane, Room,
    fair::{Due, choose},
};
use graceful_sql::values::{broken, count};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{Tables, after, followers::followers, now};

/// How many due flows a claim examines, which bounds its cost. If more are due, it also examines some of each lane.
const LOOKED_AT: usize = 256;

/// How many flows of each lane it examines then.
const OF_EACH: i64 = 4;

/// Selects some flows of each lane: of up to 64 handlers, from a random start, and up to 16 tenants of each, from a random start. So each lane gets
/// its turn soon, and the cost of a claim is bounded. Each step is an index lookup.
const OF_EACH_LANE: &str = "\
    WITH RECURSIVE handlers (lane, first, n) AS ( \
        SELECT lane, lane, 1 FROM (SELECT coalesce( \
            (SELECT min(lane) FROM graceful_flows INDEXED BY graceful_flows_lanes WHERE head = 1 AND lane >= ?2), \
            (SELECT min(lane) FROM graceful_flows INDEXED BY graceful_flows_lanes WHERE head = 1)) AS lane) \
        UNION ALL \
        SELECT coalesce( \
            (SELECT min(f.lane) FROM graceful_flows f INDEXED BY graceful_flows_lanes \
                WHERE f.head = 1 AND f.lane > (handlers.lane | 4294967295)), \
            (SELECT min(f.lane) FROM graceful_flows f INDEXED BY graceful_flows_lanes WHERE f.head = 1)), first, n + 1 \
        FROM handlers WHERE n < 64 AND (n = 1 OR lane >> 32 <> first >> 32) \
    ), starts (lane) AS ( \
        SELECT coalesce( \
            (SELECT min(f.lane) FROM graceful_flows f INDEXED BY graceful_flows_lanes \
                WHERE f.head = 1 AND f.lane BETWEEN (((h.lane >> 32) << 32) | ?3) AND (h.lane | 4294967295)), \
            (SELECT min(f.lane) FROM graceful_flows f INDEXED BY graceful_flows_lanes \
                WHERE f.head = 1 AND f.lane >= ((h.lane >> 32) << 32))) FROM handlers h \
    ), lanes (lane, first, n) AS ( \
        SELECT lane, lane, 1 FROM starts \
        UNION ALL \
        SELECT coalesce( \
            (SELECT min(f.lane) FROM graceful_flows f INDEXED BY graceful_flows_lanes \
                WHERE f.head = 1 AND f.lane > lanes.lane AND f.lane <= (lanes.lane | 4294967295)), \
            (SELECT min(f.lane) FROM graceful_flows f INDEXED BY graceful_flows_lanes \
                WHERE f.head = 1 AND f.lane >= ((lanes.lane >> 32) << 32))), first, n + 1 \
        FROM lanes WHERE n < 16 AND (n = 1 OR lane <> first) \
    ) \
    SELECT seq, due, lane FROM graceful_flows WHERE seq IN ( \
        SELECT f.seq FROM (SELECT DISTINCT lane FROM lanes) AS some CROSS JOIN graceful_flows f WHERE f.seq IN ( \
            SELECT seq FROM graceful_flows INDEXED BY graceful_flows_lanes \
            WHERE head = 1 AND lane = some.lane AND due <= ?1 ORDER BY due, seq LIMIT ?4))";

fn due(row: &SqliteRow) -> Result<Due, sqlx::Error> {
    let lane = Lane::from_number(row.try_get("lane")?);
    Ok(Due::new(lane, (row.try_get("due")?, row.try_get("seq")?)))
}

pub(super) async fn claim(
    connection: &mut SqliteConnection,
    room: &Room,
    lease: Duration,
) -> Result<Vec<Claim>, sqlx::Error> {
    let (now, looked_at) = (now(), LOOKED_AT.max(room.flows.saturating_mul(4)));
    let oldest = sqlx::query(
        "SELECT seq, due, lane FROM graceful_flows INDEXED BY graceful_flows_ready WHERE head = 1 AND due <= ? \
         ORDER BY due, seq LIMIT ?",
    )
    .bind(now)
    .bind(count(looked_at))
    .fetch_all(&mut *connection)
    .await?;
    let reading =
        sqlx::query("SELECT kind, lane FROM graceful_pauses WHERE kind < 2").fetch_all(&mut *connection);
    let mut paused = HashSet::new();
    for pause in reading.await? {
        if pause.try_get::<i64, _>("kind")? == 0 {
            return Ok(Vec::new());
        }
        paused.insert(pause.try_get::<i64, _>("lane")?);
    }
    let mut rows = oldest.iter().map(due).collect::<Result<Vec<_>, _>>()?;
    if rows.len() == looked_at {
        let of_each = sqlx::query(OF_EACH_LANE)
            .bind(now)
            .bind(fastrand::i64(0..))
            .bind(i64::from(fastrand::u32(..)))
            // The due flows may all belong to a paused handler.
            .bind(if paused.is_empty() { OF_EACH } else { 16 * OF_EACH })
            .fetch_all(&mut *connection)
            .await?;
        let known: HashSet<_> = rows.iter().map(|due| due.order).collect();
        for row in &of_each {
            let due = due(row)?;
            if !known.contains(&due.order) {
                rows.push(due);
            }
        }
    }
    rows.retain(|due| !paused.contains(&due.lane.handler()));
    let chosen = choose(room, rows);
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let followers = followers(connection, &chosen, room.per_entity, now).await?;
    let led: HashSet<_> = followers.iter().map(|(_, head)| *head).collect();
    let alone: Vec<_> = chosen.iter().filter(|head| !led.contains(head)).collect();
    let mut head_of: HashMap<_, _> = chosen.iter().map(|head| (*head, *head)).collect();
    head_of.extend(followers);
    let claiming = sqlx::query(
        "UPDATE graceful_flows SET token = randomblob(16), due = ?1, \
         attempts = attempts + (seq IN (SELECT value FROM json_each(?3))) WHERE seq IN (SELECT value FROM json_each(?2)) \
         RETURNING seq, id, token, attempts + (attempts = 0) AS attempts, resubmitted, handler, lane, body, NOT head AS follows",
    );
    let claimed: Vec<_> = head_of.keys().collect();
    let claiming = claiming.bind(after(now, lease)).bind(serde_json::to_string(&claimed).map_err(broken)?);
    let claiming = claiming.bind(serde_json::to_string(&alone).map_err(broken)?);
    let mut rows = claiming.fetch_all(connection).await?;
    // A statement returns its rows in no order.
    rows.sort_unstable_by_key(|row| {
        let sequence = row.try_get::<i64, _>("seq").unwrap_or_default();
        (head_of.get(&sequence).copied(), sequence)
    });
    Tables::decode_claims(&rows)
}
