-- As before, but in a language whose functions a session plans once. A function in SQL is planned in each statement, for each default that calls it,
-- which took longer than the insertion of a row.
CREATE OR REPLACE FUNCTION graceful_now() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
END $$;

-- Records the outcomes of attempts, and returns for each whether it was recorded: not if the claim is lost. `given_states`: 0 tried again after the
-- delay, 1 completed, 2 dead. The rows are locked in the order of their ids, as by the statement that extends leases: otherwise each could wait for
-- the other. Each is found by the index of ids, however few rows the table had when the plan was made: no other index serves `state < 1`.
CREATE FUNCTION graceful_record(
    ids uuid[], tokens uuid[], given_states smallint[], delays bigint[], bodies bytea[], steps text[], codes text[], failure_groups bigint[],
    errors text[], times bigint[], step_results text[]
) RETURNS boolean[] LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    given record;
    flow graceful_flows;
    recorded boolean[] := array_fill(false, ARRAY[cardinality(ids)]);
BEGIN
    FOR given IN
        SELECT * FROM unnest(
            ids, tokens, given_states, delays, bodies, steps, codes, failure_groups, errors, times, step_results
        ) WITH ORDINALITY AS one (id, token, state, delay, body, step, code, failure_group, error, took, results, number)
        ORDER BY id, number
    LOOP
        IF given.state = 1 THEN
            UPDATE graceful_flows SET state = 1, token = NULL, ended_at = graceful_now(), failed_at = NULL, step = NULL, code = NULL,
                failure_group = NULL, error = NULL
            WHERE id = given.id AND token = given.token AND state < 1;
            recorded[given.number] := FOUND;
        ELSE
            UPDATE graceful_flows SET state = given.state, token = NULL, due = coalesce(graceful_now() + given.delay, due),
                body = coalesce(given.body, body), ended_at = CASE WHEN given.state <> 0 THEN graceful_now() END,
                failed_at = graceful_now(), step = given.step, code = given.code, failure_group = given.failure_group, error = given.error
            WHERE id = given.id AND token = given.token AND state < 1 RETURNING * INTO flow;
            recorded[given.number] := FOUND;
            IF FOUND THEN
                INSERT INTO graceful_attempts VALUES (
                    flow.id, flow.resubmitted, flow.attempts, flow.failed_at, given.took, flow.step, flow.code, flow.failure_group, flow.error,
                    given.results
                );
            END IF;
        END IF;
    END LOOP;
    RETURN recorded;
END $$;
