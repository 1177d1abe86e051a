-- Flows on their way. `state`: 0 queued, 1 completed, 2 dead. `head`: it is the first of its entity's queued flows, and so the one
-- that may be handed out. Times are microseconds since 1970.
CREATE TABLE graceful_flows (
    seq      INTEGER PRIMARY KEY,
    id       BLOB    NOT NULL UNIQUE,
    entity   TEXT    NOT NULL,
    handler  TEXT    NOT NULL,
    body     BLOB    NOT NULL,
    state    INTEGER NOT NULL DEFAULT 0,
    head     INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due      INTEGER NOT NULL,
    token    BLOB,
    error    TEXT,
    ended_at INTEGER
) STRICT;
CREATE INDEX graceful_flows_ready ON graceful_flows (due, seq) WHERE head = 1;
CREATE INDEX graceful_flows_queued ON graceful_flows (entity, seq) WHERE state = 0;
CREATE INDEX graceful_flows_ended ON graceful_flows (state, ended_at) WHERE state <> 0;

-- The state that each flow made of its entity.
CREATE TABLE graceful_metadata (
    flow   BLOB    PRIMARY KEY,
    entity TEXT    NOT NULL,
    latest INTEGER NOT NULL,
    next   BLOB,
    state  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX graceful_metadata_latest ON graceful_metadata (entity) WHERE latest = 1;
CREATE INDEX graceful_metadata_history ON graceful_metadata (entity, flow);

-- Open review jobs.
CREATE TABLE graceful_jobs (
    entity     TEXT    PRIMARY KEY,
    key        TEXT    NOT NULL,
    due        INTEGER NOT NULL,
    opened_at  INTEGER NOT NULL,
    bumps      INTEGER NOT NULL,
    flow       BLOB    NOT NULL,
    code       TEXT    NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    held_until INTEGER,
    token      BLOB,
    error      TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX graceful_jobs_due ON graceful_jobs (due);

-- Patterns and who used them.
CREATE TABLE graceful_patterns (
    pattern    TEXT    PRIMARY KEY,
    count      INTEGER NOT NULL,
    first_used INTEGER NOT NULL,
    last_used  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE graceful_traces (
    flow    BLOB    PRIMARY KEY,
    entity  TEXT    NOT NULL,
    pattern TEXT    NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX graceful_traces_entity ON graceful_traces (entity, at);

-- What was done. `hash` is of the record and of the hash before it.
CREATE TABLE graceful_audit (
    seq    INTEGER PRIMARY KEY,
    flow   BLOB    NOT NULL UNIQUE,
    entity TEXT    NOT NULL,
    record TEXT    NOT NULL,
    hash   BLOB    NOT NULL
) STRICT;
CREATE INDEX graceful_audit_entity ON graceful_audit (entity, seq);
