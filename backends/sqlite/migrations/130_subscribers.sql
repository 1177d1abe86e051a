-- Subscribers. `key` is the identity in its form for an index; the other tables refer to `id`, so that a renamed subscriber keeps its state. `copier` is
-- the process that copies events from a broker, and `received` the position of the last event that it has stored. Times are microseconds
-- since 1970.
CREATE TABLE graceful_subscribers (
    id        INTEGER PRIMARY KEY,
    key       TEXT    NOT NULL UNIQUE,
    name      TEXT    NOT NULL,
    source    TEXT    NOT NULL,
    reads_log INTEGER NOT NULL,
    copier    BLOB,
    received  INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The processes that read, until their leases expire.
CREATE TABLE graceful_subscriber_processes (
    subscriber INTEGER NOT NULL,
    process    BLOB    NOT NULL,
    expires    INTEGER NOT NULL,
    PRIMARY KEY (subscriber, process)
) STRICT;

-- Which process reads which partition, and how far. All events up to `handled_to` were handled or parked; those up to `begun_to` may have been begun.
CREATE TABLE graceful_partitions (
    subscriber INTEGER NOT NULL,
    partition  INTEGER NOT NULL,
    process    BLOB,
    handled_to INTEGER NOT NULL,
    begun_to   INTEGER NOT NULL,
    PRIMARY KEY (subscriber, partition)
) STRICT;

-- The last handled event of each entity.
CREATE TABLE graceful_fences (
    subscriber INTEGER NOT NULL,
    entity     INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (subscriber, entity)
) STRICT;

-- Failed and interrupted attempts.
CREATE TABLE graceful_subscriber_attempts (
    subscriber INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    entity     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    PRIMARY KEY (subscriber, position)
) STRICT;

-- Parked events. Only the first of an entity can be released.
CREATE TABLE graceful_parked_events (
    subscriber  INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    entity      INTEGER NOT NULL,
    body        BLOB    NOT NULL,
    attempts    INTEGER NOT NULL,
    error       TEXT    NOT NULL,
    is_released INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (subscriber, position)
) STRICT;
CREATE INDEX graceful_parked_events_of_entity ON graceful_parked_events (subscriber, entity, position);
CREATE INDEX graceful_released_events ON graceful_parked_events (subscriber, position) WHERE is_released;

-- Events that a broker has delivered. `source` and `id` are in their form for an index.
CREATE TABLE graceful_received_events (
    subscriber INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    entity     INTEGER NOT NULL,
    source     TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    body       BLOB    NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (subscriber, position),
    UNIQUE (subscriber, source, id)
) STRICT;
CREATE INDEX graceful_received_events_by_age ON graceful_received_events (at);
