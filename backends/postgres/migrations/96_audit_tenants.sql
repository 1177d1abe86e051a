-- Queries of the audit log by tenant: the encoded tenant is the second part of the entity's name. A record without a tenant has no entry, so
-- that a service without tenants does not pay for the index.
CREATE INDEX graceful_audit_by_tenant ON graceful_audit ((split_part(entity, ':', 2) COLLATE "C"), at, seq)
    WHERE (split_part(entity, ':', 2) COLLATE "C") <> '';
