-- The event log. Rows are inserted and later deleted, never updated; a position is never used again. The names of the five columns after it are
-- those of Debezium's outbox router; `payload` is the whole envelope. `entity` is the hash of source, tenant and subject. Times are microseconds
-- since 1970.
CREATE TABLE graceful_events (
    position      INTEGER PRIMARY KEY AUTOINCREMENT,
    id            BLOB    NOT NULL UNIQUE,
    aggregatetype TEXT    NOT NULL,
    aggregateid   TEXT    NOT NULL,
    type          TEXT    NOT NULL,
    payload       TEXT    NOT NULL,
    source        TEXT    NOT NULL,
    tenant        TEXT    NOT NULL,
    entity        INTEGER NOT NULL,
    at            INTEGER NOT NULL
) STRICT;

-- One row: the position up to which events were deleted.
CREATE TABLE graceful_event_log (
    purged_to INTEGER NOT NULL
) STRICT;
INSERT INTO graceful_event_log (purged_to) VALUES (0);
