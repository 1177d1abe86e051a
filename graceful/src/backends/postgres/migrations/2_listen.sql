-- Relays that have found nothing, and want to be told. An entry is renewed as long as its relay lives.
CREATE UNLOGGED TABLE graceful_waiting (
    relay uuid        PRIMARY KEY,
    until timestamptz NOT NULL
);

-- Tells them, as a part of the transaction that stores. Who tells commits one after the other in all of the server, so it is done
-- only where somebody waits; and that is asked at the commit, since a transaction may be long.
CREATE FUNCTION graceful_tell() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM graceful_waiting WHERE until > clock_timestamp()) THEN
        PERFORM pg_notify('graceful_flows_' || TG_RELID, '');
    END IF;
    RETURN NULL;
END $$;
-- What is resubmitted gets a new place in the order, and is told, too.
CREATE CONSTRAINT TRIGGER graceful_tell AFTER INSERT OR UPDATE OF seq ON graceful_flows
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION graceful_tell();

-- As before; and who gets nothing, and wants to wait, waits from then on, until it gets something.
DROP FUNCTION graceful_claim(bigint, bigint, bigint);
CREATE FUNCTION graceful_claim(now bigint, until bigint, most bigint, claimer uuid, waits boolean) RETURNS SETOF graceful_flows
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('graceful_claim ' || current_schema(), 0));
    RETURN QUERY
        UPDATE graceful_flows SET token = gen_random_uuid(), attempts = attempts + 1, due = graceful_claim.until
        WHERE seq IN (
            SELECT ready.seq FROM graceful_flows AS ready
            WHERE ready.state = 0 AND ready.due <= now AND NOT EXISTS (
                SELECT 1 FROM graceful_flows AS other
                WHERE other.state = 0 AND other.entity = ready.entity AND other.seq <> ready.seq
                    AND (other.seq < ready.seq OR (other.token IS NOT NULL AND other.due > now))
            )
            ORDER BY ready.due, ready.seq LIMIT most
            FOR UPDATE SKIP LOCKED
        )
        RETURNING *;
    IF FOUND THEN
        DELETE FROM graceful_waiting WHERE relay = claimer;
    ELSIF waits AND NOT EXISTS (
        SELECT FROM graceful_waiting AS waiting
        WHERE waiting.relay = claimer AND waiting.until > clock_timestamp() + interval '30 s'
    ) THEN
        INSERT INTO graceful_waiting VALUES (claimer, clock_timestamp() + interval '60 s')
        ON CONFLICT (relay) DO UPDATE SET until = excluded.until;
    END IF;
END $$;
