-- As before, but a transaction asks once, for its first flow, whether anyone waits to be told: the others are stored by the same commit, to which
-- the trigger is deferred. Where a transaction has made its constraints immediate, a later flow can so be found by polling only.
CREATE OR REPLACE FUNCTION graceful_tell() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    this CONSTANT text := txid_current() || ' ' || TG_RELID;
BEGIN
    IF current_setting('graceful.told', true) = this THEN
        RETURN NULL;
    END IF;
    PERFORM set_config('graceful.told', this, true);
    IF (
        SELECT bool_or(waits_until > clock_timestamp())
            AND bool_and(found_at IS NULL OR found_at < clock_timestamp() - interval '100 ms')
        FROM graceful_relays
    ) THEN
        PERFORM pg_notify('graceful_flows_' || TG_RELID, '');
    END IF;
    RETURN NULL;
END $$;
