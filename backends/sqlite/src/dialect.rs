//! What SQLite does differently from PostgreSQL.

use graceful_sql::Statement;

use super::now;

/// The tables in SQLite.
pub(super) type Tables = graceful_sql::Tables<Dialect>;

#[derive(Debug)]
pub(super) struct Dialect;

impl graceful_sql::Dialect for Dialect {
    type Database = sqlx::Sqlite;

    const LATEST: &'static str = "SELECT * FROM graceful_metadata WHERE entity = $1 AND latest = 1";

    const PATTERN: &'static str = "pattern";

    const DELETE_OLD_TRACES: &'static str = "DELETE FROM graceful_traces WHERE entity = $1 AND at < \
        (SELECT at FROM graceful_traces WHERE entity = $1 ORDER BY at DESC LIMIT 1 OFFSET $2)";

    const INCIDENT: &'static str = "entity";

    const ENTITY: &'static str = "substr(entity, 1, instr(entity || '#', '#') - 1)";

    const TENANT: &'static str =
        "substr(entity, instr(entity, ':') + 1, instr(substr(entity, instr(entity, ':') + 1), ':') - 1)";

    const NOW: &'static str = "CAST(unixepoch('subsec') * 1000000 AS INTEGER)";

    const HANDLER: &'static str = "substr(handler, 1, 200)";

    const ACTOR: (&'static str, usize) = ("actor", usize::MAX);

    const HEAD: &'static str = "head = 1";

    const FIRST: &'static str = "TRUE";

    const POSITION: &'static str = "instr";

    const LAST: &'static str = "seq = (SELECT max(seq) + 1 FROM graceful_flows)";

    const PROMOTE: Option<&'static str> = Some(super::flows::PROMOTE);

    // Relays of other processes poll.
    const WAKE: Option<&'static str> = None;

    // There is one writer.
    const LOCK_CLAIMS: Option<&'static str> = None;

    const LOCK: &'static str = "";

    const SKIP_LOCKED: &'static str = "";
    const NOWAIT: &'static str = "";
    const WAITED: &'static str = "";

    const TOKEN: &'static str = "randomblob(16)";

    fn resolve_alert(incident: String, alert: String) -> Statement<Self> {
        let resolve = "UPDATE graceful_alerts SET resolved_at = $1, alert = $2 WHERE entity = $3 AND resolved_at IS NULL";
        sqlx::query(resolve).bind(now()).bind(alert).bind(incident)
    }
}
