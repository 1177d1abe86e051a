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

    const NOW: &'static str = "graceful_now()";

    const HANDLER: &'static str = "(substr(handler, 1, 200) COLLATE \"C\")";

    const ACTOR: (&'static str, usize) = ("(substr(actor, 1, 200) COLLATE \"C\")", 200);

    const HEAD: &'static str = "state = 0 AND head IS NOT FALSE";

    // No claim has examined a flow whose `head` is NULL.
    const FIRST: &'static str = "flow.head OR NOT EXISTS (SELECT FROM graceful_flows AS other \
        WHERE other.state = 0 AND other.entity = flow.entity AND (other.seq < flow.seq OR other.head))";

    const POSITION: &'static str = "strpos";

    const RESUBMIT: &'static str = "UPDATE graceful_flows SET seq = nextval('graceful_flows_order'), state = 0, head = NULL, attempts = 0, \
        resubmitted = resubmitted + 1, due = graceful_now(), failed_at = NULL, step = NULL, code = NULL, failure_group = NULL, \
        error = NULL, ended_at = NULL WHERE id = $1 AND state = 2 \
        AND coalesce($2, resubmitted) = resubmitted AND coalesce($3, attempts) = attempts RETURNING entity";

    const DISCARD_DEAD: &'static str = "UPDATE graceful_flows SET state = 3, ended_at = graceful_now() WHERE id = $1 AND state = 2 \
        AND coalesce($2, resubmitted) = resubmitted AND coalesce($3, attempts) = attempts RETURNING entity";

    // The lock is that of claims: a claim makes flows wait for a first flow, which must not be discarded meanwhile.
    const DISCARD_QUEUED: &'static str = "WITH claims AS MATERIALIZED ( \
            SELECT pg_advisory_xact_lock(hashtextextended('graceful_claim ' || current_schema(), 0)) \
        ) UPDATE graceful_flows SET state = 3, token = NULL, ended_at = graceful_now() FROM claims \
        WHERE id = $1 AND state = 0 AND (token IS NULL OR due <= graceful_now()) \
        AND coalesce($2, resubmitted) = resubmitted AND coalesce($3, attempts) = attempts RETURNING entity";

    const POSTPONE: &'static str = "UPDATE graceful_flows SET due = graceful_now() + $4, token = NULL \
        WHERE id = $1 AND state = 0 AND (token IS NULL OR due <= graceful_now()) \
        AND coalesce($2, resubmitted) = resubmitted AND coalesce($3, attempts) = attempts RETURNING entity";

    // A trigger does.
    const PROMOTE: Option<&'static str> = None;

    const WAKE: Option<&'static str> =
        Some("SELECT pg_notify('graceful_flows_' || 'graceful_flows'::regclass::oid, '')");

    const LOCK_CLAIMS: Option<&'static str> = Some(
        "SELECT pg_advisory_xact_lock(hashtextextended('graceful_claim ' || current_schema(), 0)) IS NULL",
    );

    const SKIP_LOCKED: &'static str = "FOR UPDATE SKIP LOCKED";

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
