-- Queries of the audit log by actor, entity and time; pages of patterns; and the relays that are alive. `at`: the time of the record, which never
-- changes. A record whose time cannot be read has the first of all times. The records contain both, so the chain does not.
ALTER TABLE graceful_audit
    ADD COLUMN at    bigint NOT NULL DEFAULT -377705023201000000,
    ADD COLUMN actor text;

-- The time and the actor of a record, as they are stored beside it; nothing of a record that cannot be read. A JSON text with a NUL (`\u0000`) is one
-- that PostgreSQL does not read, so all texts of the record are escaped first, as texts in columns are: `\0`, and two backslashes for one.
CREATE FUNCTION graceful_audit_read(record text, OUT at bigint, OUT actor text) LANGUAGE plpgsql AS $$
DECLARE
    parsed json;
BEGIN
    parsed := replace(replace(replace(record, '\\', chr(1)), '\u0000', '\\0'), chr(1), '\\\\')::json;
    -- Records of earlier versions contain the whole flow.
    actor := coalesce(
        parsed ->> 'actor', parsed #>> '{values,actor}', parsed #>> '{context,actor}', parsed #>> '{context,user}');
    -- A cast would round nanoseconds, and `now` would be a time.
    IF parsed ->> 'at' ~ '^\d{4}-' THEN
        at := extract(epoch FROM regexp_replace(parsed ->> 'at', '(\.\d{6})\d+', '\1')::timestamptz) * 1000000;
    END IF;
EXCEPTION WHEN others THEN
    NULL;
END $$;
UPDATE graceful_audit AS audit
SET (at, actor) = (SELECT coalesce(read.at, audit.at), read.actor FROM graceful_audit_read(audit.record) AS read);
DROP FUNCTION graceful_audit_read;
-- A process of an earlier version appends records without a time.
ALTER TABLE graceful_audit ALTER COLUMN at SET DEFAULT graceful_now();

DROP INDEX graceful_audit_entity;
CREATE INDEX graceful_audit_by_time ON graceful_audit (at, seq);
CREATE INDEX graceful_audit_by_entity ON graceful_audit (entity, at, seq);
-- An actor's name is cut, because the size of an index entry is limited.
CREATE INDEX graceful_audit_by_actor ON graceful_audit ((substr(actor, 1, 200) COLLATE "C"), at, seq) WHERE actor IS NOT NULL;

CREATE INDEX graceful_patterns_by_name ON graceful_patterns (pattern COLLATE "C");

-- `handlers` is JSON: the identities of the durable handlers in the relay's program.
CREATE TABLE graceful_live_relays (
    id          uuid   PRIMARY KEY,
    service     text   NOT NULL,
    environment text   NOT NULL,
    host        text   NOT NULL,
    process     bigint NOT NULL,
    version     text   NOT NULL,
    handlers    text   NOT NULL,
    since       bigint NOT NULL,
    seen_at     bigint NOT NULL
);
CREATE INDEX graceful_live_relays_seen ON graceful_live_relays (seen_at);

-- Who may use the flows may use the tables that were added since.
DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT acl.privilege_type AS right, coalesce(quote_ident(role.rolname), 'PUBLIC') AS grantee
        FROM pg_class, aclexplode(pg_class.relacl) AS acl LEFT JOIN pg_roles AS role ON role.oid = acl.grantee
        WHERE pg_class.oid = 'graceful_flows'::regclass AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
    LOOP
        EXECUTE format('GRANT %s ON graceful_attempts, graceful_pauses, graceful_operations, graceful_operation_items, graceful_live_relays TO %s', granted.right, granted.grantee);
    END LOOP;
END $$;
