-- Calls of idempotent handlers, with a row for each name of a call. `name` is its SHA-256. A call that runs has no answer, and `expires` is the end of
-- its lease; `answered` with no answer is one that could not be stored. Times are microseconds since 1970.
CREATE TABLE graceful_idempotent_calls (
    name     bytea   PRIMARY KEY,
    token    uuid    NOT NULL,
    request  bytea,
    answered boolean NOT NULL,
    expires  bigint  NOT NULL,
    answer   bytea
);
CREATE INDEX graceful_idempotent_calls_expired ON graceful_idempotent_calls (expires);

-- Claims all of these names, or none: then it returns what is known of one of them, an answer before a running call. Each statement sees what was
-- committed before it, and the first one, which finds most repetitions, locks nothing.
CREATE FUNCTION graceful_claim_call(call_names bytea[], call_token uuid, call_request bytea, lease bigint)
RETURNS SETOF graceful_idempotent_calls LANGUAGE plpgsql AS $$
DECLARE
    claimed bigint;
BEGIN
    LOOP
        RETURN QUERY
            SELECT * FROM graceful_idempotent_calls WHERE name = ANY (call_names) AND expires > graceful_now()
            ORDER BY answered DESC, name LIMIT 1;
        EXIT WHEN FOUND;
        -- In the order of the names, so that two claims do not wait for each other.
        INSERT INTO graceful_idempotent_calls AS known (name, token, request, answered, expires)
            SELECT given.name, call_token, call_request, FALSE, graceful_now() + lease
            FROM unnest(call_names) AS given (name) ORDER BY given.name
        ON CONFLICT (name) DO UPDATE
            SET token = excluded.token, request = excluded.request, answered = FALSE, answer = NULL, expires = excluded.expires
            WHERE known.expires <= graceful_now();
        GET DIAGNOSTICS claimed = ROW_COUNT;
        EXIT WHEN claimed = cardinality(call_names);
        -- Another call has claimed some of them meanwhile. Those that this one has claimed were free, and are free again.
        DELETE FROM graceful_idempotent_calls WHERE name = ANY (call_names) AND token = call_token;
    END LOOP;
END $$;

-- Who may change the flows may change the calls. Who may only read the flows must not read the answers.
DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT coalesce(quote_ident(role.rolname), 'PUBLIC') AS grantee
        FROM pg_class, aclexplode(pg_class.relacl) AS acl LEFT JOIN pg_roles AS role ON role.oid = acl.grantee
        WHERE pg_class.oid = 'graceful_flows'::regclass AND acl.privilege_type = 'UPDATE'
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON graceful_idempotent_calls TO %s', granted.grantee);
    END LOOP;
END $$;
