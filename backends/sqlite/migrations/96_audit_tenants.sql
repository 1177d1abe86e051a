-- Queries of the audit log by tenant, as in PostgreSQL. A record without a tenant has no entry.
CREATE INDEX graceful_audit_by_tenant
    ON graceful_audit (substr(entity, instr(entity, ':') + 1, instr(substr(entity, instr(entity, ':') + 1), ':') - 1), at, seq)
    WHERE substr(entity, instr(entity, ':') + 1, instr(substr(entity, instr(entity, ':') + 1), ':') - 1) <> '';
