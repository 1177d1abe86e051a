-- Subscribers. `key` is the identity in its form for an index; the other tables refer to `id`, so that a renamed subscriber keeps its state. `copier` is
-- the process that copies events from a broker, and `received` the position of the last event that it has stored. Whatever changes the state of a
-- subscriber locks its row first, apart from the transactions of events. Times are microseconds since 1970.
CREATE TABLE graceful_subscribers (
    id        bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key       text    NOT NULL UNIQUE,
    name      text    NOT NULL,
    source    text    NOT NULL,
    reads_log boolean NOT NULL,
    copier    uuid,
    received  bigint  NOT NULL DEFAULT 0
);

-- The processes that read, until their leases expire.
CREATE TABLE graceful_subscriber_processes (
    subscriber bigint NOT NULL,
    process    uuid   NOT NULL,
    expires    bigint NOT NULL,
    PRIMARY KEY (subscriber, process)
);

-- Which process reads which partition, and how far. All events up to `handled_to` were handled or parked; those up to `begun_to` may have been begun.
CREATE TABLE graceful_partitions (
    subscriber bigint   NOT NULL,
    partition  smallint NOT NULL,
    process    uuid,
    handled_to bigint   NOT NULL,
    begun_to   bigint   NOT NULL,
    PRIMARY KEY (subscriber, partition)
);

-- The last handled event of each entity. The transaction of an event locks its row.
CREATE TABLE graceful_fences (
    subscriber bigint NOT NULL,
    entity     bigint NOT NULL,
    position   bigint NOT NULL,
    at         bigint NOT NULL,
    PRIMARY KEY (subscriber, entity)
);

-- Failed and interrupted attempts.
CREATE TABLE graceful_subscriber_attempts (
    subscriber bigint NOT NULL,
    position   bigint NOT NULL,
    entity     bigint NOT NULL,
    attempts   bigint NOT NULL,
    PRIMARY KEY (subscriber, position)
);

-- Parked events. Only the first of an entity can be released.
CREATE TABLE graceful_parked_events (
    subscriber  bigint  NOT NULL,
    position    bigint  NOT NULL,
    entity      bigint  NOT NULL,
    body        bytea   NOT NULL,
    attempts    bigint  NOT NULL,
    error       text    NOT NULL,
    is_released boolean NOT NULL,
    at          bigint  NOT NULL,
    PRIMARY KEY (subscriber, position)
);
CREATE INDEX graceful_parked_events_of_entity ON graceful_parked_events (subscriber, entity, position);
CREATE INDEX graceful_released_events ON graceful_parked_events (subscriber, position) WHERE is_released;

-- Events that a broker has delivered. `source` and `id` are in their form for an index.
CREATE TABLE graceful_received_events (
    subscriber bigint NOT NULL,
    position   bigint NOT NULL,
    entity     bigint NOT NULL,
    source     text   NOT NULL,
    id         text   NOT NULL,
    body       bytea  NOT NULL,
    at         bigint NOT NULL,
    PRIMARY KEY (subscriber, position),
    UNIQUE (subscriber, source, id)
);
CREATE INDEX graceful_received_events_by_age ON graceful_received_events (at);

-- Who may change the flows may change the state of subscribers. Who may only read the flows must not read the events.
DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT coalesce(quote_ident(role.rolname), 'PUBLIC') AS grantee
        FROM pg_class, aclexplode(pg_class.relacl) AS acl LEFT JOIN pg_roles AS role ON role.oid = acl.grantee
        WHERE pg_class.oid = 'graceful_flows'::regclass AND acl.privilege_type = 'UPDATE'
    LOOP
        EXECUTE format(
            'GRANT SELECT, INSERT, UPDATE, DELETE ON graceful_subscribers, graceful_subscriber_processes, graceful_partitions, graceful_fences, '
            'graceful_subscriber_attempts, graceful_parked_events, graceful_received_events TO %s',
            granted.grantee
        );
    END LOOP;
END $$;
