-- How often a subscriber's handler was run for an event that has come more than once.
CREATE TABLE graceful_inbox_attempts (
    consumer TEXT    NOT NULL,
    source   TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    attempts INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (consumer, source, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX graceful_inbox_attempts_at ON graceful_inbox_attempts (at);
