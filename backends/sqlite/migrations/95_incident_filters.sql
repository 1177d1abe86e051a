-- Pages of open alerts and jobs by tenant and by entity, as in PostgreSQL. `entity` is the name of an incident, `service:tenant:pattern:id#owner`:
-- the expressions take the encoded tenant and the name of the entity from it.
CREATE INDEX graceful_alerts_by_tenant
    ON graceful_alerts (substr(entity, instr(entity, ':') + 1, instr(substr(entity, instr(entity, ':') + 1), ':') - 1), fired_at, entity) WHERE resolved_at IS NULL;
CREATE INDEX graceful_alerts_by_entity
    ON graceful_alerts (substr(entity, 1, instr(entity || '#', '#') - 1), fired_at, entity) WHERE resolved_at IS NULL;
CREATE INDEX graceful_jobs_by_tenant
    ON graceful_jobs (substr(entity, instr(entity, ':') + 1, instr(substr(entity, instr(entity, ':') + 1), ':') - 1), opened_at, entity);
CREATE INDEX graceful_jobs_by_entity
    ON graceful_jobs (substr(entity, 1, instr(entity || '#', '#') - 1), opened_at, entity);
