-- What operators have paused. `kind`: 0 all relays, 1 a handler, 2 a subscriber. `key` is the name in its form for an index; `lane` is the part
-- of the lanes that all flows of the handler have in common.
CREATE TABLE graceful_pauses (
    kind     smallint NOT NULL,
    key      text     NOT NULL,
    name     text     NOT NULL,
    lane     bigint   NOT NULL,
    operator text     NOT NULL,
    reason   text     NOT NULL,
    at       bigint   NOT NULL,
    PRIMARY KEY (kind, key)
);

-- Operations on many flows. `action`: 0 resubmit, 1 discard, 2 postpone by `time`. `state`: 0 preparing, 1 prepared, 2 running, 3 completed,
-- 4 cancelled, 5 stopped. Who runs one has its token until `lease_until`. `recorded` is 0 from its start until its end is in the audit log.
CREATE TABLE graceful_operations (
    id          uuid     PRIMARY KEY,
    action      smallint NOT NULL,
    time        bigint   NOT NULL,
    selection   text     NOT NULL,
    operator    text     NOT NULL,
    verified    smallint NOT NULL,
    state       smallint NOT NULL DEFAULT 0,
    prepared_at bigint   NOT NULL DEFAULT graceful_now(),
    ended_at    bigint,
    cancelled_by text,
    selected    bigint   NOT NULL DEFAULT 0,
    older       bigint   NOT NULL DEFAULT 0,
    done        bigint   NOT NULL DEFAULT 0,
    waiting     bigint   NOT NULL DEFAULT 0,
    failed      bigint   NOT NULL DEFAULT 0,
    skipped     bigint   NOT NULL DEFAULT 0,
    in_a_row    bigint   NOT NULL DEFAULT 0,
    token       uuid,
    lease_until bigint,
    recorded    smallint NOT NULL DEFAULT 1
);
CREATE INDEX graceful_operations_unrecorded ON graceful_operations (id) WHERE recorded = 0;

-- Their lists. `from_state`, `resubmitted` and `attempts` are those of the flow when it was selected. `state`: 0 left, 1 waiting for its first
-- attempt, 2 done, 3 failed again, 4 skipped.
CREATE TABLE graceful_operation_items (
    operation   uuid     NOT NULL,
    flow        uuid     NOT NULL,
    from_state  smallint NOT NULL,
    resubmitted bigint   NOT NULL,
    attempts    bigint   NOT NULL,
    state       smallint NOT NULL,
    reason      text,
    PRIMARY KEY (operation, flow)
);
CREATE INDEX graceful_operation_items_by_state ON graceful_operation_items (operation, state, flow);
CREATE INDEX graceful_operation_items_by_flow ON graceful_operation_items (flow, operation);

-- As before, but with the number of flows of each lane as a parameter.
DROP FUNCTION graceful_of_each_lane(bigint);
CREATE FUNCTION graceful_of_each_lane(now bigint, most bigint) RETURNS tid[] LANGUAGE plpgsql AS $$
DECLARE
    any_handler CONSTANT bigint := floor(random() * 2147483648)::bigint << 32;
    any_tenant CONSTANT bigint := floor(random() * 4294967296)::bigint;
    last_tenant CONSTANT bigint := 4294967295;
BEGIN
    -- Each step is to the next one, or from the last to the first, and no further than to where it began. `(lane | last_tenant)` is the last
    -- lane of a handler, `(lane >> 32 << 32)` the first.
    RETURN ARRAY(
        WITH RECURSIVE handlers (lane, first, n) AS (
            SELECT one.lane, one.lane, 1 FROM (SELECT coalesce(
                (SELECT f.lane FROM graceful_flows AS f WHERE state = 0 AND head IS NOT FALSE AND f.lane >= any_handler
                    ORDER BY f.lane, f.due, f.seq LIMIT 1),
                (SELECT f.lane FROM graceful_flows AS f WHERE state = 0 AND head IS NOT FALSE
                    ORDER BY f.lane, f.due, f.seq LIMIT 1)
            ) AS lane) AS one
            UNION ALL
            SELECT coalesce(
                (SELECT f.lane FROM graceful_flows AS f WHERE state = 0 AND head IS NOT FALSE AND f.lane > (handlers.lane | last_tenant)
                    ORDER BY f.lane, f.due, f.seq LIMIT 1),
                (SELECT f.lane FROM graceful_flows AS f WHERE state = 0 AND head IS NOT FALSE
                    ORDER BY f.lane, f.due, f.seq LIMIT 1)
            ), first, n + 1 FROM handlers WHERE n < 64 AND (n = 1 OR lane >> 32 <> first >> 32)
        ), lanes (lane, first, n) AS (
            SELECT one.lane, one.lane, 1 FROM handlers CROSS JOIN LATERAL (SELECT coalesce(
                (SELECT f.lane FROM graceful_flows AS f WHERE state = 0 AND head IS NOT FALSE
                    AND f.lane >= ((handlers.lane >> 32 << 32) | any_tenant) AND f.lane <= (handlers.lane | last_tenant)
                    ORDER BY f.lane, f.due, f.seq LIMIT 1),
                (SELECT f.lane FROM graceful_flows AS f WHERE state = 0 AND head IS NOT FALSE AND f.lane >= (handlers.lane >> 32 << 32)
                    ORDER BY f.lane, f.due, f.seq LIMIT 1)
            ) AS lane) AS one
            UNION ALL
            SELECT coalesce(
                (SELECT f.lane FROM graceful_flows AS f WHERE state = 0 AND head IS NOT FALSE
                    AND f.lane > lanes.lane AND f.lane <= (lanes.lane | last_tenant)
                    ORDER BY f.lane, f.due, f.seq LIMIT 1),
                (SELECT f.lane FROM graceful_flows AS f WHERE state = 0 AND head IS NOT FALSE AND f.lane >= (lanes.lane >> 32 << 32)
                    ORDER BY f.lane, f.due, f.seq LIMIT 1)
            ), first, n + 1 FROM lanes WHERE n < 16 AND (n = 1 OR lane <> first)
        )
        SELECT one.place FROM lanes CROSS JOIN LATERAL (
            SELECT f.ctid AS place FROM graceful_flows AS f
            WHERE state = 0 AND head IS NOT FALSE AND f.lane = lanes.lane AND f.due <= now ORDER BY f.due, f.seq LIMIT most
        ) AS one
    );
END $$;

-- As before, but without the flows of paused handlers.
DROP FUNCTION graceful_choose(tid[], tid[], bigint, bigint, bigint[], bigint[], bigint[]);
CREATE FUNCTION graceful_choose(
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
            WHERE flow.ctid = ANY (firsts || seen) AND (flow.head OR flow.ctid = ANY (firsts)) AND flow.state < 1
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

-- As before, but it claims nothing while the relays are paused, and no flow of a handler that is paused.
CREATE OR REPLACE FUNCTION graceful_claim(
    room bigint, per_handler bigint, lease bigint, claimer uuid, of_lanes bigint[], now_running bigint[], lately bigint[]
) RETURNS SETOF graceful_flows LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
DECLARE
    looked_at CONSTANT bigint := greatest(4 * room, 256);
    now bigint;
    seen tid[];
    firsts tid[];
    made_wait bigint;
    chosen tid[] := '{}';
    all_paused boolean;
    paused bigint[];
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
        UPDATE graceful_flows SET head = true WHERE ctid = ANY (firsts) AND ctid <> ALL (chosen) AND state < 1;
        -- Behind what was made to wait there may be more to hand out; but nobody waits for a claim for long.
        EXIT WHEN cardinality(chosen) = room OR made_wait = 0 OR cardinality(seen) < looked_at
            OR graceful_now() > now + 50000;
    END LOOP;
    RETURN QUERY
        UPDATE graceful_flows SET head = true, token = gen_random_uuid(), attempts = attempts + 1, due = now + lease
        WHERE ctid = ANY (ARRAY(
            SELECT ready.ctid FROM graceful_flows AS ready
            WHERE ready.ctid = ANY (chosen) AND ready.state < 1 AND ready.due <= now
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
END $$;
