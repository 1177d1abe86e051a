-- `stored_at`: when the flow was stored; it never changes. The others describe the failure of the last attempt, beside `error`;
-- failures from before this migration are in no group.
ALTER TABLE graceful_flows ADD COLUMN stored_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE graceful_flows ADD COLUMN failed_at INTEGER;
ALTER TABLE graceful_flows ADD COLUMN step TEXT;
ALTER TABLE graceful_flows ADD COLUMN code TEXT;
ALTER TABLE graceful_flows ADD COLUMN failure_group INTEGER;
UPDATE graceful_flows SET stored_at = coalesce(ended_at, due);

-- Queries by state and handler, as in PostgreSQL.
CREATE INDEX graceful_flows_by_handler ON graceful_flows (state, substr(handler, 1, 200), stored_at, id);
CREATE INDEX graceful_flows_by_entity ON graceful_flows (entity, state, stored_at, id) WHERE state <> 0;
-- These two contain only flows whose last attempt failed.
CREATE INDEX graceful_flows_groups ON graceful_flows (state, failure_group, failed_at, id) WHERE failure_group IS NOT NULL;
CREATE INDEX graceful_flows_in_group ON graceful_flows (failure_group, state, stored_at, id) WHERE failure_group IS NOT NULL;

-- Failed attempts, until their flow is deleted. `results` is JSON: the result of each step.
CREATE TABLE graceful_attempts (
    flow          BLOB    NOT NULL,
    resubmitted   INTEGER NOT NULL,
    attempt       INTEGER NOT NULL,
    failed_at     INTEGER NOT NULL,
    took          INTEGER NOT NULL,
    step          TEXT,
    code          TEXT,
    failure_group INTEGER NOT NULL,
    error         TEXT    NOT NULL,
    results       TEXT    NOT NULL
) STRICT;
CREATE INDEX graceful_attempts_of ON graceful_attempts (flow, resubmitted, attempt);
CREATE TRIGGER graceful_flow_deleted AFTER DELETE ON graceful_flows BEGIN
    DELETE FROM graceful_attempts WHERE flow = OLD.id;
END;
