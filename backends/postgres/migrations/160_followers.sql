-- A claim can take, with the head of an entity, the flows that follow it: they have tokens of their own, and are not heads. The attempts at flows
-- that are claimed together are counted when their outcomes are recorded. See docs/ARCHITECTURE.md for the histories. The token of a claim that was lost to another one
-- is the nil UUID, which nobody holds.
--
-- The followers that are held: none in most stores.
CREATE INDEX graceful_flows_followers ON graceful_flows (entity, seq)
    WHERE state = 0 AND head IS NOT TRUE AND token <> '00000000-0000-0000-0000-000000000000';

-- As before, but a follower that is held is the next head. A flow that was stored before it in the order, and committed after the claim,
-- comes behind it: otherwise two flows of one entity would run.
CREATE OR REPLACE FUNCTION graceful_pass_on() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
DECLARE
    first bigint;
    is_head boolean;
BEGIN
    LOOP
        SELECT next.seq, false INTO first, is_head FROM (
            SELECT entity, seq FROM graceful_flows
            WHERE state = 0 AND head IS NOT TRUE AND token <> '00000000-0000-0000-0000-000000000000' AND entity >= OLD.entity
            ORDER BY entity, seq LIMIT 1
        ) AS next WHERE next.entity = OLD.entity;
        IF NOT FOUND THEN
            SELECT next.seq, next.head INTO first, is_head FROM (
                SELECT entity, seq, head FROM graceful_flows WHERE state = 0 AND entity >= OLD.entity ORDER BY entity, seq LIMIT 1
            ) AS next WHERE next.entity = OLD.entity;
        END IF;
        EXIT WHEN NOT FOUND OR is_head;
        UPDATE graceful_flows SET head = true WHERE seq = first AND state + 0 < 1 AND head IS NOT TRUE;
        EXIT WHEN FOUND;
    END LOOP;
    RETURN NULL;
END $$;

-- As before, but the attempt at a flow that was claimed with others is counted here.
CREATE OR REPLACE FUNCTION graceful_record(
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
            UPDATE graceful_flows SET state = 1, attempts = greatest(attempts, 1), token = NULL, ended_at = graceful_now(),
                failed_at = NULL, step = NULL, code = NULL, failure_group = NULL, error = NULL
            WHERE id = given.id AND token = given.token AND state + 0 < 1;
            recorded[given.number] := FOUND;
        ELSE
            UPDATE graceful_flows SET state = given.state, attempts = greatest(attempts, 1), token = NULL,
                due = coalesce(graceful_now() + given.delay, due),
                body = coalesce(given.body, body), ended_at = CASE WHEN given.state <> 0 THEN graceful_now() END,
                failed_at = graceful_now(), step = given.step, code = given.code, failure_group = given.failure_group, error = given.error
            WHERE id = given.id AND token = given.token AND state + 0 < 1 RETURNING * INTO flow;
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

-- As before, but with `state + 0`, here and in the other functions: an index of 60_operations serves `state < 1`. Where the statistics are those of an empty
-- queue, each statement read all queued flows from it.
CREATE OR REPLACE FUNCTION graceful_arrive(seen tid[], OUT firsts tid[], OUT made_wait bigint) LANGUAGE plpgsql AS $$
BEGIN
    WITH arrived AS MATERIALIZED (
        SELECT ctid AS place, entity FROM graceful_flows WHERE ctid = ANY (seen) AND state + 0 < 1 AND head IS NULL
    ), led AS MATERIALIZED (
        SELECT entities.entity, (
            SELECT led_by.place FROM (
                SELECT other.ctid AS place, other.entity FROM graceful_flows AS other
                WHERE other.state = 0 AND other.head AND other.entity >= entities.entity ORDER BY other.entity LIMIT 1
            ) AS led_by WHERE led_by.entity = entities.entity
        ) AS led_by
        FROM (SELECT DISTINCT arrived.entity FROM arrived) AS entities
    ), locked AS MATERIALIZED (
        SELECT entity FROM graceful_flows
        WHERE ctid = ANY (ARRAY(SELECT led_by FROM led WHERE led_by IS NOT NULL)) AND state + 0 < 1 AND head
        FOR NO KEY UPDATE SKIP LOCKED
    ), heads AS MATERIALIZED (
        SELECT led.entity, (
            SELECT next.place FROM (
                SELECT other.ctid AS place, other.entity FROM graceful_flows AS other
                WHERE other.state = 0 AND other.entity >= led.entity ORDER BY other.entity, other.seq LIMIT 1
            ) AS next WHERE next.entity = led.entity
        ) AS place
        FROM led WHERE led_by IS NULL
    ), waiting AS (
        UPDATE graceful_flows SET head = false WHERE state + 0 < 1 AND head IS NULL AND ctid = ANY (ARRAY(
            SELECT arrived.place FROM arrived
            WHERE (arrived.entity IN (SELECT entity FROM locked) OR arrived.entity IN (SELECT entity FROM heads))
                AND arrived.place NOT IN (SELECT heads.place FROM heads)
        )) RETURNING 1
    )
    SELECT ARRAY(SELECT place FROM heads), (SELECT count(*) FROM waiting) INTO firsts, made_wait;
END $$;

CREATE OR REPLACE FUNCTION graceful_choose(
    seen tid[], firsts tid[], room bigint, per_handler bigint, of_lanes bigint[], now_running bigint[], lately bigint[], paused bigint[]
) RETURNS tid[] LANGUAGE plpgsql AS $$
BEGIN
    RETURN ARRAY(
        WITH shares AS MATERIALIZED (
            SELECT * FROM unnest(of_lanes, now_running, lately) AS share (lane, running, recent)
        ), of_handlers AS MATERIALIZED (
            SELECT lane >> 32 AS handler, sum(running) AS running, sum(recent) AS recent FROM shares GROUP BY lane >> 32
        ), in_lanes AS (
            SELECT flow.ctid AS place, flow.seq, flow.due, flow.lane >> 32 AS handler,
                row_number() OVER (PARTITION BY flow.lane ORDER BY flow.due, flow.seq)
                    + coalesce(shares.running + shares.recent, 0) AS turn
            FROM graceful_flows AS flow LEFT JOIN shares USING (lane)
            WHERE flow.ctid = ANY (firsts || seen) AND (flow.head OR flow.ctid = ANY (firsts)) AND flow.state + 0 < 1
                AND flow.lane >> 32 <> ALL (paused)
        ), in_handlers AS (
            SELECT in_lanes.place, in_lanes.seq, in_lanes.due, coalesce(of_handlers.recent, 0) AS recent,
                row_number() OVER (PARTITION BY handler ORDER BY turn, in_lanes.due, in_lanes.seq)
                    + coalesce(of_handlers.running, 0) AS turn
            FROM in_lanes LEFT JOIN of_handlers USING (handler)
        )
        SELECT in_handlers.place FROM in_handlers WHERE turn <= per_handler
        ORDER BY turn + recent, in_handlers.due, in_handlers.seq LIMIT room
    );
END $$;

-- As before, with the followers of each head that was never claimed before. What others hold of the entities of these heads is lost to this
-- claim.
CREATE FUNCTION graceful_claim(
    room bigint, per_handler bigint, lease bigint, claimer uuid, of_lanes bigint[], now_running bigint[], lately bigint[],
    per_entity bigint
) RETURNS SETOF graceful_flows LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
DECLARE
    looked_at CONSTANT bigint := greatest(4 * room, 256);
    last CONSTANT bigint := 9223372036854775807;
    -- Of all followers: the lock on claims is held until the relay has received them.
    most_bytes CONSTANT bigint := 4194304;
    nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    now bigint;
    seen tid[];
    firsts tid[];
    made_wait bigint;
    chosen tid[] := '{}';
    all_paused boolean;
    paused bigint[];
    heads bigint[];
    fresh bigint[];
    behind tid[];
    led bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('graceful_claim ' || current_schema(), 0));
    SELECT bool_or(kind = 0), array_agg(lane) FILTER (WHERE kind = 1) INTO all_paused, paused FROM graceful_pauses WHERE kind < 2;
    IF all_paused THEN
        RETURN;
    END IF;
    paused := coalesce(paused, '{}');
    now := graceful_now();
    LOOP
        -- The flows that are due or have arrived; if there are more than it examines, some of each lane, too. The due flows may all belong to a
        -- paused handler: then more of each lane.
        seen := ARRAY(
            SELECT ctid FROM graceful_flows WHERE state = 0 AND head IS NOT FALSE AND due <= now ORDER BY due, seq LIMIT looked_at
        );
        EXIT WHEN cardinality(seen) = 0;
        IF cardinality(seen) = looked_at THEN
            seen := seen || graceful_of_each_lane(now, CASE WHEN cardinality(paused) > 0 THEN 64 ELSE 4 END);
        END IF;
        SELECT arrival.firsts, arrival.made_wait INTO firsts, made_wait FROM graceful_arrive(seen) AS arrival;
        chosen := graceful_choose(seen, firsts, room, per_handler, of_lanes, now_running, lately, paused);
        UPDATE graceful_flows SET head = true WHERE ctid = ANY (firsts) AND ctid <> ALL (chosen) AND state + 0 < 1;
        -- Behind what was made to wait there may be more to hand out; but nobody waits for a claim for long.
        EXIT WHEN cardinality(chosen) = room OR made_wait = 0 OR cardinality(seen) < looked_at
            OR graceful_now() > now + 50000;
    END LOOP;
    SELECT array_agg(seq), array_agg(seq) FILTER (WHERE attempts = 0 AND token IS NULL) INTO heads, fresh
    FROM graceful_flows WHERE ctid = ANY (chosen) AND state + 0 < 1;
    RETURN QUERY
        UPDATE graceful_flows SET head = true, token = gen_random_uuid(), attempts = attempts + 1, due = now + lease
        WHERE ctid = ANY (ARRAY(
            SELECT ready.ctid FROM graceful_flows AS ready
            WHERE ready.ctid = ANY (chosen) AND ready.state + 0 < 1 AND ready.due <= now
            FOR NO KEY UPDATE SKIP LOCKED
        ))
        RETURNING *;
    IF FOUND THEN
        INSERT INTO graceful_relays VALUES (claimer, NULL, clock_timestamp())
        ON CONFLICT (relay) DO UPDATE SET waits_until = NULL, found_at = excluded.found_at;
    ELSIF NOT EXISTS (
        SELECT FROM graceful_relays WHERE relay = claimer AND waits_until > clock_timestamp() + interval '30 s'
    ) THEN
        INSERT INTO graceful_relays VALUES (claimer, clock_timestamp() + interval '60 s', NULL)
        ON CONFLICT (relay) DO UPDATE SET waits_until = excluded.waits_until;
    END IF;
    -- Few entities have more queued flows. One that was committed late can have a lower number than the head. A head that somebody else had a
    -- lock on was not claimed.
    heads := ARRAY(
        SELECT head.seq FROM graceful_flows AS head CROSS JOIN LATERAL (
            SELECT FROM graceful_flows AS f
            WHERE f.state = 0 AND (f.entity, f.seq) > (head.entity, 0) AND (f.entity, f.seq) <= (head.entity, last) AND f.seq <> head.seq
            ORDER BY f.entity, f.seq LIMIT 1
        ) AS next
        WHERE head.seq = ANY (heads) AND head.state + 0 < 1 AND head.token IS NOT NULL AND head.due = now + lease
    );
    IF cardinality(heads) = 0 THEN
        RETURN;
    END IF;
    UPDATE graceful_flows SET token = nobody, due = least(stored_at, now) WHERE ctid = ANY (ARRAY(
        SELECT held.place FROM graceful_flows AS head CROSS JOIN LATERAL (
            SELECT f.ctid AS place FROM graceful_flows AS f
            WHERE f.state = 0 AND f.head IS NOT TRUE AND f.token <> '00000000-0000-0000-0000-000000000000' AND f.entity = head.entity
        ) AS held
        WHERE head.seq = ANY (heads)
    )) AND state + 0 < 1;
    IF per_entity < 2 THEN
        RETURN;
    END IF;
    SELECT array_agg(one.place), array_agg(one.follows) INTO behind, led FROM (
        WITH behind AS MATERIALIZED (
            SELECT next.place, next.seq, next.bytes, head.seq AS follows, next.is_fit AND next.lane = head.lane AS is_fit
            FROM graceful_flows AS head CROSS JOIN LATERAL (
                SELECT f.ctid AS place, f.seq, f.lane, octet_length(f.body) AS bytes, f.attempts = 0 AND f.token IS NULL AND f.due <= now AS is_fit
                FROM graceful_flows AS f
                WHERE f.state = 0 AND (f.entity, f.seq) > (head.entity, 0) AND (f.entity, f.seq) <= (head.entity, last) AND f.seq <> head.seq
                ORDER BY f.entity, f.seq LIMIT per_entity - 1
            ) AS next
            WHERE head.seq = ANY (heads) AND head.seq = ANY (fresh)
        ), numbered AS MATERIALIZED (
            SELECT behind.*, row_number() OVER of_one AS number, bool_and(is_fit) OVER of_one AS are_fit
            FROM behind WINDOW of_one AS (PARTITION BY follows ORDER BY seq)
        ), fit AS MATERIALIZED (
            SELECT place, follows, seq, number FROM (
                SELECT numbered.*, sum(bytes) OVER (ORDER BY number, seq) AS bytes_so_far FROM numbered WHERE are_fit
            ) AS one WHERE bytes_so_far <= most_bytes
        ), locked AS MATERIALIZED (
            SELECT f.ctid AS place FROM graceful_flows AS f
            WHERE f.ctid = ANY (ARRAY(SELECT fit.place FROM fit)) AND f.state + 0 < 1 AND f.token IS NULL AND f.due <= now
            FOR NO KEY UPDATE SKIP LOCKED
        )
        SELECT fit.place, fit.follows, fit.number, count(locked.place) OVER (PARTITION BY fit.follows ORDER BY fit.seq) AS so_far
        FROM fit LEFT JOIN locked USING (place)
    ) AS one WHERE one.so_far = one.number;
    UPDATE graceful_flows SET attempts = 0 WHERE seq = ANY (led) AND state + 0 < 1;
    RETURN QUERY
        UPDATE graceful_flows SET head = false, token = gen_random_uuid(), due = now + lease WHERE ctid = ANY (behind) AND state + 0 < 1
        RETURNING *;
END $$;

-- What earlier versions call.
CREATE OR REPLACE FUNCTION graceful_claim(
    room bigint, per_handler bigint, lease bigint, claimer uuid, of_lanes bigint[], now_running bigint[], lately bigint[]
) RETURNS SETOF graceful_flows LANGUAGE sql
AS $$ SELECT * FROM graceful_claim(room, per_handler, lease, claimer, of_lanes, now_running, lately, 1) $$;
