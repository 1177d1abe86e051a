-- Pages of open alerts and jobs by tenant and by entity. `entity` is the name of an incident, `service:tenant:pattern:id#owner`: the
-- expressions take the encoded tenant and the name of the entity from it. The name of the incident, by which a page orders rows of one
-- time, has no room in these indexes, because the size of an index entry is limited: such rows are sorted.
CREATE INDEX graceful_alerts_by_tenant ON graceful_alerts ((split_part(entity, ':', 2) COLLATE "C"), fired_at) WHERE resolved_at IS NULL;
CREATE INDEX graceful_alerts_by_entity ON graceful_alerts ((split_part(entity, '#', 1) COLLATE "C"), fired_at) WHERE resolved_at IS NULL;
CREATE INDEX graceful_jobs_by_tenant ON graceful_jobs ((split_part(entity, ':', 2) COLLATE "C"), opened_at);
CREATE INDEX graceful_jobs_by_entity ON graceful_jobs ((split_part(entity, '#', 1) COLLATE "C"), opened_at);
