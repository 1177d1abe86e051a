-- Calls of idempotent handlers, with a row for each name of a call. `name` is its SHA-256. A call that runs has no answer, and `expires` is the end of
-- its lease; `answered` with no answer is one that could not be stored. Times are microseconds since 1970.
CREATE TABLE graceful_idempotent_calls (
    name     BLOB    PRIMARY KEY,
    token    BLOB    NOT NULL,
    request  BLOB,
    answered INTEGER NOT NULL,
    expires  INTEGER NOT NULL,
    answer   BLOB
) STRICT;
CREATE INDEX graceful_idempotent_calls_expired ON graceful_idempotent_calls (expires);
