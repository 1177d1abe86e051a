-- `lane`: the handler and tenant of a flow, as a number, the upper 32 bits being the handler's. `resubmitted`: how often it was.
ALTER TABLE graceful_flows ADD COLUMN lane INTEGER NOT NULL DEFAULT 0;
ALTER TABLE graceful_flows ADD COLUMN resubmitted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX graceful_flows_lanes ON graceful_flows (lane, due, seq) WHERE head = 1;
