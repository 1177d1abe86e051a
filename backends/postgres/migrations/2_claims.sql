-- Whoever claims flows: until when it waits to be told of one, which is put off as long as it lives, and when it last found one.
CREATE UNLOGGED TABLE graceful_relays (
    relay       uuid        PRIMARY KEY,
    waits_until timestamptz,
    found_at    timestamptz
);

-- Tells those who wait, as a part of the transaction that stores. Who tells commits one after the other in all of the server, so it
-- is not done where somebody is at work, who asks again soon enough; and that is asked at the commit, since a transaction may be
-- long.
CREATE FUNCTION graceful_tell() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF (
        SELECT bool_or(waits_until > clock_timestamp())
            AND bool_and(found_at IS NULL OR found_at < clock_timestamp() - interval '100 ms')
        FROM graceful_relays
    ) THEN
        PERFORM pg_notify('graceful_flows_' || TG_RELID, '');
    END IF;
    RETURN NULL;
END $$;
-- What is resubmitted gets a new place in the order, and is told, too.
CREATE CONSTRAINT TRIGGER graceful_tell AFTER INSERT OR UPDATE OF seq ON graceful_flows
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION graceful_tell();

-- The flows that somebody holds, by entity.
CREATE INDEX graceful_flows_held ON graceful_flows (entity) WHERE state = 0 AND token IS NOT NULL;

-- As before: hands out the first queued flow of each entity, one caller at a time, and each with a view that is newer than its
-- turn. It looks at the oldest flows that are due; where those are many, and of few entities, most of them wait for an earlier
-- one, and then it looks at the first of each entity, from entity to entity. Who gets nothing waits from then on, until it gets
-- something.
DROP FUNCTION graceful_claim(bigint, bigint, bigint);
CREATE FUNCTION graceful_claim(now bigint, until bigint, most bigint, claimer uuid)
RETURNS SETOF graceful_flows LANGUAGE plpgsql AS $$
DECLARE
    looked_at CONSTANT bigint := greatest(most, 1000);
    firsts bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('graceful_claim ' || current_schema(), 0));
    firsts := ARRAY(
        SELECT ready.seq FROM (
            SELECT seq, entity, due FROM graceful_flows WHERE state = 0 AND due <= now ORDER BY due, seq LIMIT looked_at
        ) AS ready
        WHERE seq = (SELECT min(other.seq) FROM graceful_flows AS other WHERE other.state = 0 AND other.entity = ready.entity)
            AND NOT EXISTS (
                SELECT FROM graceful_flows AS held
                WHERE held.state = 0 AND held.token IS NOT NULL AND held.entity = ready.entity AND held.due > now
            )
        ORDER BY ready.due, ready.seq LIMIT most
    );
    IF cardinality(firsts) < most AND looked_at = (
        SELECT count(*) FROM (SELECT FROM graceful_flows WHERE state = 0 AND due <= now LIMIT looked_at) AS ready
    ) THEN
        firsts := firsts || ARRAY(
            WITH RECURSIVE ready AS (
                (SELECT seq, entity, due FROM graceful_flows WHERE state = 0 ORDER BY entity, seq LIMIT 1)
                UNION ALL
                SELECT next.* FROM ready CROSS JOIN LATERAL (
                    SELECT seq, entity, due FROM graceful_flows
                    WHERE state = 0 AND entity > ready.entity ORDER BY entity, seq LIMIT 1
                ) AS next
            )
            SELECT ready.seq FROM ready
            WHERE ready.due <= now AND ready.seq <> ALL (firsts)
                AND NOT EXISTS (
                    SELECT FROM graceful_flows AS held
                    WHERE held.state = 0 AND held.token IS NOT NULL AND held.entity = ready.entity AND held.due > now
                )
            LIMIT most - cardinality(firsts)
        );
    END IF;
    RETURN QUERY
        UPDATE graceful_flows SET token = gen_random_uuid(), attempts = attempts + 1, due = graceful_claim.until
        WHERE seq IN (
            SELECT ready.seq FROM graceful_flows AS ready
            WHERE ready.seq = ANY (firsts) AND ready.state = 0 AND ready.due <= now
            FOR UPDATE SKIP LOCKED
        )
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
