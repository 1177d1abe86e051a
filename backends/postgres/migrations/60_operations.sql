-- `stored_at`: when the flow was stored; it never changes. The others describe the failure of the last attempt, beside `error`.
ALTER TABLE graceful_flows
    ADD COLUMN stored_at     bigint,
    ADD COLUMN failed_at     bigint,
    ADD COLUMN step          text,
    ADD COLUMN code          text,
    ADD COLUMN failure_group bigint;
UPDATE graceful_flows SET stored_at = coalesce(ended_at, due);
UPDATE graceful_flows SET failed_at = coalesce(ended_at, due), failure_group = 0 WHERE error IS NOT NULL;
ALTER TABLE graceful_flows ALTER COLUMN stored_at SET DEFAULT graceful_now(), ALTER COLUMN stored_at SET NOT NULL;

-- Queries by state and handler. A handler's name is cut, because the size of an index entry is limited.
CREATE INDEX graceful_flows_by_handler ON graceful_flows (state, (substr(handler, 1, 200) COLLATE "C"), stored_at, id);
CREATE INDEX graceful_flows_by_entity ON graceful_flows (entity, stored_at, id) WHERE state <> 0;
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
