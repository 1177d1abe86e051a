-- The flows that the knowledge graph keeps; what they say in triples is made of them when it is opened.
CREATE TABLE graceful_graph (
    flow     BLOB PRIMARY KEY,
    activity TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Open alerts, and the newest that were resolved. Times are microseconds since 1970.
CREATE TABLE graceful_alerts (
    seq         INTEGER PRIMARY KEY,
    entity      TEXT    NOT NULL,
    fired_at    INTEGER NOT NULL,
    resolved_at INTEGER,
    alert       TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX graceful_alerts_open ON graceful_alerts (entity) WHERE resolved_at IS NULL;
CREATE INDEX graceful_alerts_resolved ON graceful_alerts (resolved_at) WHERE resolved_at IS NOT NULL;
