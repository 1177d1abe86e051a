-- The events that a subscriber has handled. Times are microseconds since 1970.
CREATE TABLE graceful_inbox (
    consumer TEXT    NOT NULL,
    source   TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (consumer, source, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX graceful_inbox_at ON graceful_inbox (at);
