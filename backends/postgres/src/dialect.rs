//! What PostgreSQL does differently from SQLite.

use std::borrow::Cow;

use graceful_sql::Statement;

use super::text::{escaped, unescaped};

/// The tables in PostgreSQL.
pub(super) type Tables = graceful_sql::Tables<Dialect>;

#[derive(Debug)]
pub(super) struct Dialect;

impl graceful_sql::Dialect for Dialect {
    type Database = sqlx::Postgres;

    const LATEST: &'static str = "SELECT * FROM graceful_metadata WHERE entity = $1 AND latest";

    const PATTERN: &'static str = "pattern COLLATE \"C\"";

    // Those that another call is deleting are skipped: all calls of a pattern that name no entity share a list.
    const DELETE_OLD_TRACES: &'static str = "DELETE FROM graceful_traces WHERE flow IN \
        (SELECT flow FROM graceful_traces WHERE entity = $1 AND at < \
        (SELECT at FROM graceful_traces WHERE entity = $1 ORDER BY at DESC LIMIT 1 OFFSET $2) FOR UPDATE SKIP LOCKED)";

    const INCIDENT: &'static str = "entity COLLATE \"C\"";

    const ENTITY: &'static str = "(split_part(entity, '#', 1) COLLATE \"C\")";

    const TENANT: &'static str = "(split_part(entity, ':', 2) COLLATE \"C\")";

    const NOW: &'static str = "graceful_now()";

    const HANDLER: &'static str = "(substr(handler, 1, 200) COLLATE \"C\")";

    const ACTOR: (&'static str, usize) = ("(substr(actor, 1, 200) COLLATE \"C\")", 200);

    const HEAD: &'static str = "state = 0 AND head IS NOT FALSE";

    // No claim has examined a flow whose `head` is NULL.
    const FIRST: &'static str = "flow.head OR NOT EXISTS (SELECT FROM graceful_flows AS other \
        WHERE other.state = 0 AND other.entity = flow.entity AND (other.seq < flow.seq OR other.head))";

    const POSITION: &'static str = "strpos";

    // No claim has examined it.
    const LAST: &'static str = "seq = nextval('graceful_flows_order'), head = NULL";

    // A trigger does.
    const PROMOTE: Option<&'static str> = None;

    const WAKE: Option<&'static str> =
        Some("SELECT pg_notify('graceful_flows_' || 'graceful_flows'::regclass::oid, '')");

    const LOCK_CLAIMS: Option<&'static str> = Some(
        "SELECT pg_advisory_xact_lock(hashtextextended('graceful_claim ' || current_schema(), 0)) IS NULL",
    );

    const LOCK: &'static str = "FOR UPDATE";

    const SKIP_LOCKED: &'static str = "FOR UPDATE SKIP LOCKED";
    const NOWAIT: &'static str = "FOR UPDATE NOWAIT";
    const WAITED: &'static str =
        ", set_config('lock_timeout', current_setting('graceful.lock_timeout'), true)";

    const TOKEN: &'static str = "gen_random_uuid()";

    fn resolve_alert(incident: String, alert: String) -> Statement<Self> {
        let resolve = "UPDATE graceful_alerts SET resolved_at = graceful_now(), alert = $1 \
                       WHERE entity = $2 AND resolved_at IS NULL";
        sqlx::query(resolve).bind(alert).bind(incident)
    }

    fn escaped(text: &str) -> Cow<'_, str> {
        escaped(text).into()
    }

    fn unescaped(stored: &str) -> Cow<'_, str> {
        unescaped(stored).into()
    }
}
