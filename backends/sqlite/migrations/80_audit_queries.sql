-- Queries of the audit log by actor, entity and time; pages of patterns; and the relays that are alive. `at`: the time of the record, which never
-- changes. A record whose time cannot be read has the first of all times. The records contain both, so the chain does not.
ALTER TABLE graceful_audit ADD COLUMN at INTEGER NOT NULL DEFAULT -9223372036854775808;
ALTER TABLE graceful_audit ADD COLUMN actor TEXT;
UPDATE graceful_audit SET
    at = coalesce(
        unixepoch(substr(record ->> '$.at', 1, 19) || 'Z') * 1000000
            + CAST(substr(rtrim(substr(record ->> '$.at', 21), 'Z') || '000000', 1, 6) AS INTEGER),
        -377705023201000000),
    -- Records of earlier versions contain the whole flow.
    actor = coalesce(record ->> '$.actor', record ->> '$.values.actor', record ->> '$.context.actor', record ->> '$.context.user')
WHERE json_valid(record);
UPDATE graceful_audit SET at = -377705023201000000 WHERE NOT json_valid(record);
-- A process of an earlier version appends records without a time.
CREATE TRIGGER graceful_audit_appended AFTER INSERT ON graceful_audit WHEN NEW.at = -9223372036854775808 BEGIN
    UPDATE graceful_audit SET at = CAST(unixepoch('subsec') * 1000000 AS INTEGER) WHERE seq = NEW.seq;
END;

DROP INDEX graceful_audit_entity;
CREATE INDEX graceful_audit_by_time ON graceful_audit (at, seq);
CREATE INDEX graceful_audit_by_entity ON graceful_audit (entity, at, seq);
CREATE INDEX graceful_audit_by_actor ON graceful_audit (actor, at, seq) WHERE actor IS NOT NULL;

-- `handlers` is JSON: the identities of the durable handlers in the relay's program.
CREATE TABLE graceful_live_relays (
    id          BLOB    PRIMARY KEY,
    service     TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    host        TEXT    NOT NULL,
    process     INTEGER NOT NULL,
    version     TEXT    NOT NULL,
    handlers    TEXT    NOT NULL,
    since       INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX graceful_live_relays_seen ON graceful_live_relays (seen_at);
