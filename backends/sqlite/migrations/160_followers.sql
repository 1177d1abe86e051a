-- The flows that are claimed with the head of their entity, to be run after it; none in most stores. They have tokens of their own. The token of a claim
-- that was lost to another one is all zeros, which nobody holds.
CREATE INDEX graceful_flows_followers ON graceful_flows (entity) WHERE state = 0 AND head = 0 AND token IS NOT NULL;
