-- Flows on their way. `state`: 0 queued, 1 completed, 2 dead. Who holds one has its token, and `due` is the end of the lease.
-- Times are microseconds since 1970.
CREATE SEQUENCE graceful_flows_order;
CREATE TABLE graceful_flows (
    seq      bigint   PRIMARY KEY DEFAULT nextval('graceful_flows_order'),
    id       uuid     NOT NULL UNIQUE,
    entity   text     NOT NULL,
    handler  text     NOT NULL,
    body     bytea    NOT NULL,
    state    smallint NOT NULL DEFAULT 0,
    attempts bigint   NOT NULL DEFAULT 0,
    due      bigint   NOT NULL,
    token    uuid,
    error    text,
    ended_at bigint
);
CREATE INDEX graceful_flows_ready ON graceful_flows (due, seq) WHERE state = 0;
CREATE INDEX graceful_flows_queued ON graceful_flows (entity, seq) WHERE state = 0;
CREATE INDEX graceful_flows_ended ON graceful_flows (state, ended_at) WHERE state <> 0;

-- Hands out the first queued flow of each entity. One caller at a time, and each with a view that is newer than its turn: else
-- two could hold flows of one entity, of which the older was committed later. Its one statement holds no lock while a caller is
-- silent.
CREATE FUNCTION graceful_claim(now bigint, until bigint, most bigint) RETURNS SETOF graceful_flows
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('graceful_claim ' || current_schema(), 0));
    RETURN QUERY
        UPDATE graceful_flows SET token = gen_random_uuid(), attempts = attempts + 1, due = until
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
END $$;

-- The state that each flow made of its entity.
CREATE TABLE graceful_metadata (
    flow   uuid    PRIMARY KEY,
    entity text    NOT NULL,
    latest boolean NOT NULL,
    next   uuid,
    state  text    NOT NULL
);
CREATE UNIQUE INDEX graceful_metadata_latest ON graceful_metadata (entity) WHERE latest;
CREATE INDEX graceful_metadata_history ON graceful_metadata (entity, flow);

-- Open review jobs.
CREATE TABLE graceful_jobs (
    entity     text   PRIMARY KEY,
    key        text   NOT NULL,
    due        bigint NOT NULL,
    opened_at  bigint NOT NULL,
    bumps      bigint NOT NULL,
    flow       uuid   NOT NULL,
    code       text   NOT NULL,
    attempts   bigint NOT NULL DEFAULT 0,
    held_until bigint,
    token      uuid,
    error      text
);
CREATE INDEX graceful_jobs_due ON graceful_jobs (due);

-- Patterns and who used them.
CREATE TABLE graceful_patterns (
    pattern    text   PRIMARY KEY,
    count      bigint NOT NULL,
    first_used bigint NOT NULL,
    last_used  bigint NOT NULL
);
CREATE TABLE graceful_traces (
    flow    uuid   PRIMARY KEY,
    entity  text   NOT NULL,
    pattern text   NOT NULL,
    at      bigint NOT NULL
);
CREATE INDEX graceful_traces_entity ON graceful_traces (entity, at);

-- What was done. `hash` is of the record and of the hash before it.
CREATE TABLE graceful_audit (
    seq    bigint PRIMARY KEY,
    flow   uuid   NOT NULL UNIQUE,
    entity text   NOT NULL,
    record text   NOT NULL,
    hash   bytea  NOT NULL
);
CREATE INDEX graceful_audit_entity ON graceful_audit (entity, seq);

-- The events that a subscriber has handled.
CREATE TABLE graceful_inbox (
    consumer text   NOT NULL,
    source   text   NOT NULL,
    id       text   NOT NULL,
    at       bigint NOT NULL,
    PRIMARY KEY (consumer, source, id)
);
CREATE INDEX graceful_inbox_at ON graceful_inbox (at);
