-- How often a subscriber's handler was run for an event that has come more than once.
CREATE TABLE graceful_inbox_attempts (
    consumer text    NOT NULL,
    source   text    NOT NULL,
    id       text    NOT NULL,
    attempts integer NOT NULL,
    at       bigint  NOT NULL,
    PRIMARY KEY (consumer, source, id)
);
CREATE INDEX graceful_inbox_attempts_at ON graceful_inbox_attempts (at);
