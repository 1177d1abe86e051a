-- Secrets, which all processes of the store share, e.g. the key of a console's form tokens. `name` is in its form for an index. Whoever can read
-- a secret can forge what is signed with it.
CREATE TABLE graceful_secrets (
    name   TEXT PRIMARY KEY,
    secret BLOB NOT NULL
) STRICT;

-- Whether somebody has verified the name of who cancelled the operation.
ALTER TABLE graceful_operations ADD COLUMN cancelled_by_verified INTEGER NOT NULL DEFAULT 0;
