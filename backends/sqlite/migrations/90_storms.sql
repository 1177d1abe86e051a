-- `storm`: the name of the summary on which further alerts and jobs are counted if too many of these are open, as `Incident::storm` writes
-- it. NULL for a summary, and for what was opened before this migration.
ALTER TABLE graceful_alerts ADD COLUMN storm TEXT;
ALTER TABLE graceful_jobs ADD COLUMN storm TEXT;
CREATE INDEX graceful_alerts_storm ON graceful_alerts (storm) WHERE resolved_at IS NULL;
CREATE INDEX graceful_jobs_storm ON graceful_jobs (storm);

-- Pages.
CREATE INDEX graceful_alerts_by_time ON graceful_alerts (fired_at, entity) WHERE resolved_at IS NULL;
CREATE INDEX graceful_jobs_by_time ON graceful_jobs (opened_at, entity);
