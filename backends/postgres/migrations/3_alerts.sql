-- Open alerts, and the newest that were resolved. Times are microseconds since 1970.
CREATE TABLE graceful_alerts (
    seq         bigserial PRIMARY KEY,
    entity      text      NOT NULL,
    fired_at    bigint    NOT NULL,
    resolved_at bigint,
    alert       text      NOT NULL
);
CREATE UNIQUE INDEX graceful_alerts_open ON graceful_alerts (entity) WHERE resolved_at IS NULL;
CREATE INDEX graceful_alerts_resolved ON graceful_alerts (resolved_at, seq) WHERE resolved_at IS NOT NULL;
