-- What operators have paused. `kind`: 0 all relays, 1 a handler, 2 a subscriber. `key` is the name in its form for an index; `lane` is the part
-- of the lanes that all flows of the handler have in common.
CREATE TABLE graceful_pauses (
    kind     INTEGER  NOT NULL,
    key      TEXT     NOT NULL,
    name     TEXT     NOT NULL,
    lane     INTEGER  NOT NULL,
    operator TEXT     NOT NULL,
    reason   TEXT     NOT NULL,
    at       INTEGER  NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT;

-- Operations on many flows. `action`: 0 resubmit, 1 discard, 2 postpone by `time`. `state`: 0 preparing, 1 prepared, 2 running, 3 completed,
-- 4 cancelled, 5 stopped. Who runs one has its token until `lease_until`. `recorded` is 0 from its start until its end is in the audit log.
CREATE TABLE graceful_operations (
    id          BLOB     PRIMARY KEY,
    action      INTEGER  NOT NULL,
    time        INTEGER  NOT NULL,
    selection   TEXT     NOT NULL,
    operator    TEXT     NOT NULL,
    verified    INTEGER  NOT NULL,
    state       INTEGER  NOT NULL DEFAULT 0,
    prepared_at INTEGER  NOT NULL,
    ended_at    INTEGER,
    cancelled_by TEXT,
    selected    INTEGER  NOT NULL DEFAULT 0,
    older       INTEGER  NOT NULL DEFAULT 0,
    done        INTEGER  NOT NULL DEFAULT 0,
    waiting     INTEGER  NOT NULL DEFAULT 0,
    failed      INTEGER  NOT NULL DEFAULT 0,
    skipped     INTEGER  NOT NULL DEFAULT 0,
    in_a_row    INTEGER  NOT NULL DEFAULT 0,
    token       BLOB,
    lease_until INTEGER,
    recorded    INTEGER  NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX graceful_operations_unrecorded ON graceful_operations (id) WHERE recorded = 0;

-- Their lists. `from_state`, `resubmitted` and `attempts` are those of the flow when it was selected. `state`: 0 left, 1 waiting for its first
-- attempt, 2 done, 3 failed again, 4 skipped.
CREATE TABLE graceful_operation_items (
    operation   BLOB     NOT NULL,
    flow        BLOB     NOT NULL,
    from_state  INTEGER  NOT NULL,
    resubmitted INTEGER  NOT NULL,
    attempts    INTEGER  NOT NULL,
    state       INTEGER  NOT NULL,
    reason      TEXT,
    PRIMARY KEY (operation, flow)
) STRICT;
CREATE INDEX graceful_operation_items_by_state ON graceful_operation_items (operation, state, flow);
CREATE INDEX graceful_operation_items_by_flow ON graceful_operation_items (flow, operation);
