-- Secrets, which all processes of the store share, e.g. the key of a console's form tokens. `name` is in its form for an index. Whoever can read
-- a secret can forge what is signed with it.
CREATE TABLE graceful_secrets (
    name   text  PRIMARY KEY,
    secret bytea NOT NULL
);

-- Whether somebody has verified the name of who cancelled the operation.
ALTER TABLE graceful_operations ADD COLUMN cancelled_by_verified smallint NOT NULL DEFAULT 0;

-- Who may change the flows may use the secrets. Who may only read the flows must not forge an order to change them.
DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT coalesce(quote_ident(role.rolname), 'PUBLIC') AS grantee
        FROM pg_class, aclexplode(pg_class.relacl) AS acl LEFT JOIN pg_roles AS role ON role.oid = acl.grantee
        WHERE pg_class.oid = 'graceful_flows'::regclass AND acl.privilege_type = 'UPDATE'
    LOOP
        EXECUTE format('GRANT SELECT, INSERT ON graceful_secrets TO %s', granted.grantee);
    END LOOP;
END $$;
