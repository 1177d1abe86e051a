-- The event log. Rows are inserted and later deleted, never updated. `position` is assigned under a lock that is held until the commit, so that the
-- order of positions is that of commits. The names of the five columns after it are those of Debezium's outbox router; `payload` is the whole
-- envelope. `entity` is the hash of source, tenant and subject. In texts other than `payload` a backslash is doubled, and a NUL is `\0`. Times
-- are microseconds since 1970.
CREATE TABLE graceful_events (
    position      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id            uuid   NOT NULL UNIQUE,
    aggregatetype text   NOT NULL,
    aggregateid   text   NOT NULL,
    type          text   NOT NULL,
    payload       text   NOT NULL,
    source        text   NOT NULL,
    tenant        text   NOT NULL,
    entity        bigint NOT NULL,
    at            bigint NOT NULL
);

-- One row: the position up to which events were deleted.
CREATE TABLE graceful_event_log (
    purged_to bigint NOT NULL
);
CREATE UNIQUE INDEX graceful_event_log_row ON graceful_event_log ((TRUE));
INSERT INTO graceful_event_log (purged_to) VALUES (0);

-- Who may change the flows may append events and delete old ones. Who may only read the flows must not read the events.
DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT coalesce(quote_ident(role.rolname), 'PUBLIC') AS grantee
        FROM pg_class, aclexplode(pg_class.relacl) AS acl LEFT JOIN pg_roles AS role ON role.oid = acl.grantee
        WHERE pg_class.oid = 'graceful_flows'::regclass AND acl.privilege_type = 'UPDATE'
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, DELETE ON graceful_events TO %s', granted.grantee);
        EXECUTE format('GRANT SELECT, UPDATE ON graceful_event_log TO %s', granted.grantee);
    END LOOP;
END $$;
