-- `stored_at`: when the flow was stored; it never changes. The others describe the failure of the last attempt, beside `error`. The rows are
-- not rewritten: flows that are stored already have the time of this migration, and their failures are in no group.
ALTER TABLE graceful_flows
    ADD COLUMN stored_at     bigint NOT NULL DEFAULT graceful_now(),
    ADD COLUMN failed_at     bigint,
    ADD COLUMN step          text,
    ADD COLUMN code          text,
    ADD COLUMN failure_group bigint;

-- Queries by state and handler. A handler's name is cut, because the size of an index entry is limited.
CREATE INDEX graceful_flows_by_handler ON graceful_flows (state, (substr(handler, 1, 200) COLLATE "C"), stored_at, id);
CREATE INDEX graceful_flows_by_entity ON graceful_flows (entity, state, stored_at, id) WHERE state <> 0;
-- These two contain only flows whose last attempt failed.
CREATE INDEX graceful_flows_groups ON graceful_flows (state, failure_group, failed_at, id) WHERE failure_group IS NOT NULL;
CREATE INDEX graceful_flows_in_group ON graceful_flows (failure_group, state, stored_at, id) WHERE failure_group IS NOT NULL;

-- Failed attempts, until their flow is deleted. `results` is JSON: the result of each step.
CREATE TABLE graceful_attempts (
    flow          uuid   NOT NULL,
    resubmitted   bigint NOT NULL,
    attempt       bigint NOT NULL,
    failed_at     bigint NOT NULL,
    took          bigint NOT NULL,
    step          text,
    code          text,
    failure_group bigint NOT NULL,
    error         text   NOT NULL,
    results       text   NOT NULL
);
CREATE INDEX graceful_attempts_of ON graceful_attempts (flow, resubmitted, attempt);

-- As before, but flows that wait can end too: an operator discards them. The flow that was to be the head may have ended since this function
-- looked, which its lock shows; then it looks again.
CREATE OR REPLACE FUNCTION graceful_pass_on() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
DECLARE
    first bigint;
    is_head boolean;
BEGIN
    LOOP
        SELECT next.seq, next.head INTO first, is_head FROM (
            SELECT entity, seq, head FROM graceful_flows WHERE state = 0 AND entity >= OLD.entity ORDER BY entity, seq LIMIT 1
        ) AS next WHERE next.entity = OLD.entity;
        EXIT WHEN NOT FOUND OR is_head;
        UPDATE graceful_flows SET head = true WHERE seq = first AND state < 1 AND head IS NOT TRUE;
        EXIT WHEN FOUND;
    END LOOP;
    RETURN NULL;
END $$;
