-- The one clock of all that share this store, in microseconds since 1970: the clocks of their machines differ.
CREATE FUNCTION graceful_now() RETURNS bigint LANGUAGE sql STABLE
AS $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint $$;

-- `lane`: the handler and tenant of a flow, as a number, the upper 32 bits being the handler's. `resubmitted`: how often it was.
-- `head`, of a queued flow: whether it is the one of its entity that may be handed out; NULL until a claim has looked at it.
ALTER TABLE graceful_flows
    ALTER COLUMN due SET DEFAULT graceful_now(),
    ADD COLUMN lane bigint NOT NULL DEFAULT 0,
    ADD COLUMN resubmitted bigint NOT NULL DEFAULT 0,
    ADD COLUMN head boolean;

-- Whatever is under way is its entity's head; claims look at the rest.
UPDATE graceful_flows SET head = true WHERE seq IN (
    SELECT DISTINCT ON (entity) seq FROM graceful_flows WHERE state = 0 AND token IS NOT NULL ORDER BY entity, due DESC
);

DROP INDEX graceful_flows_ready, graceful_flows_held;
CREATE UNIQUE INDEX graceful_flows_head ON graceful_flows (entity) WHERE state = 0 AND head;
CREATE INDEX graceful_flows_ready ON graceful_flows (due, seq) WHERE state = 0 AND head IS NOT FALSE;
CREATE INDEX graceful_flows_lanes ON graceful_flows (lane, due, seq) WHERE state = 0 AND head IS NOT FALSE;

-- Whatever ends or removes a head makes the entity's next flow the head. Two of one entity cannot be at it at once: each has the
-- lock on the row of the head. This looks at the table anew, after that lock: so it sees what a claim has made wait for this head.
CREATE FUNCTION graceful_pass_on() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
BEGIN
    UPDATE graceful_flows SET head = true WHERE head IS NOT TRUE AND seq = (
        SELECT next.seq FROM (
            SELECT entity, seq FROM graceful_flows WHERE state = 0 AND entity >= OLD.entity ORDER BY entity, seq LIMIT 1
        ) AS next WHERE next.entity = OLD.entity
    );
    RETURN NULL;
END $$;
CREATE TRIGGER graceful_ended AFTER UPDATE OF state ON graceful_flows
    FOR EACH ROW WHEN (OLD.state = 0 AND OLD.head AND NEW.state <> 0) EXECUTE FUNCTION graceful_pass_on();
CREATE TRIGGER graceful_removed AFTER DELETE ON graceful_flows
    FOR EACH ROW WHEN (OLD.state = 0 AND OLD.head) EXECUTE FUNCTION graceful_pass_on();

-- A claim, in four functions. Its cost does not depend on what is not due, nor on what waits behind a head: see docs/ARCHITECTURE.md for
-- the histories. The settings of `graceful_claim`, which hold in those that it calls, make the plans those of a table that is large, from
-- the first row on, and whether it was analysed or not; so does each `ORDER BY`, which only one index serves. From statement to statement
-- rows are named by their places, with `state < 1`, which no index serves: whoever settles one meanwhile moves it, and then it is not to
-- be handed out.

-- Some of each lane, by steps through the index: of up to 64 handlers, beginning with any one, up to 16 tenants, beginning with any one.
-- So each gets its turn before long.
CREATE FUNCTION graceful_of_each_lane(now bigint) RETURNS tid[] LANGUAGE plpgsql AS $$
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
            WHERE state = 0 AND head IS NOT FALSE AND f.lane = lanes.lane AND f.due <= now ORDER BY f.due, f.seq LIMIT 4
        ) AS one
    );
END $$;

-- Of what has arrived, the first of an entity that has no head is to become it (`firsts`), and the others are made to wait. An entity
-- whose head is just being settled is left for the next claim: whoever settles may have looked for the next flow already.
CREATE FUNCTION graceful_arrive(seen tid[], OUT firsts tid[], OUT made_wait bigint) LANGUAGE plpgsql AS $$
BEGIN
    WITH arrived AS MATERIALIZED (
        SELECT ctid AS place, entity FROM graceful_flows WHERE ctid = ANY (seen) AND state < 1 AND head IS NULL
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
        WHERE ctid = ANY (ARRAY(SELECT led_by FROM led WHERE led_by IS NOT NULL)) AND state < 1 AND head
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
        UPDATE graceful_flows SET head = false WHERE state < 1 AND head IS NULL AND ctid = ANY (ARRAY(
            SELECT arrived.place FROM arrived
            WHERE (arrived.entity IN (SELECT entity FROM locked) OR arrived.entity IN (SELECT entity FROM heads))
                AND arrived.place NOT IN (SELECT heads.place FROM heads)
        )) RETURNING 1
    )
    SELECT ARRAY(SELECT place FROM heads), (SELECT count(*) FROM waiting) INTO firsts, made_wait;
END $$;

-- Whose turn it is, of the heads that were seen and of those that are to become heads: as `fair.rs` says it for the other stores.
CREATE FUNCTION graceful_choose(
    seen tid[], firsts tid[], room bigint, per_handler bigint, of_lanes bigint[], now_running bigint[], lately bigint[]
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

-- Hands out heads, one caller at a time, each with a view that is newer than its turn. Who gets nothing waits from then on, until it gets
-- something.
DROP FUNCTION graceful_claim(bigint, bigint, bigint, uuid);
CREATE FUNCTION graceful_claim(
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
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('graceful_claim ' || current_schema(), 0));
    now := graceful_now();
    LOOP
        -- What is due, or has arrived; where that is more than it looks at, some of each lane, too.
        seen := ARRAY(
            SELECT ctid FROM graceful_flows WHERE state = 0 AND head IS NOT FALSE AND due <= now ORDER BY due, seq LIMIT looked_at
        );
        EXIT WHEN cardinality(seen) = 0;
        IF cardinality(seen) = looked_at THEN
            seen := seen || graceful_of_each_lane(now);
        END IF;
        SELECT arrival.firsts, arrival.made_wait INTO firsts, made_wait FROM graceful_arrive(seen) AS arrival;
        chosen := graceful_choose(seen, firsts, room, per_handler, of_lanes, now_running, lately);
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
