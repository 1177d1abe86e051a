GRANT USAGE ON SCHEMA app TO service;
GRANT SELECT ON app.graceful_migrations TO service;
GRANT SELECT, INSERT ON app.graceful_audit, app.graceful_secrets TO service;
GRANT SELECT, INSERT, DELETE ON app.graceful_events TO service;
GRANT SELECT, UPDATE ON app.graceful_event_log TO service;
GRANT SELECT, INSERT, UPDATE, DELETE ON app.graceful_flows, app.graceful_attempts, app.graceful_relays, app.graceful_live_relays,
    app.graceful_metadata, app.graceful_jobs,
    app.graceful_patterns, app.graceful_traces, app.graceful_alerts, app.graceful_inbox,
    app.graceful_inbox_attempts, app.graceful_pauses, app.graceful_operations, app.graceful_operation_items,
    app.graceful_idempotent_calls, app.graceful_subscribers, app.graceful_subscriber_processes, app.graceful_partitions,
    app.graceful_fences, app.graceful_subscriber_attempts, app.graceful_parked_events, app.graceful_received_events TO service;
GRANT USAGE ON SEQUENCE app.graceful_flows_order, app.graceful_alerts_seq_seq TO service;
