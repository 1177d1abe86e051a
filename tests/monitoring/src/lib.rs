//! Tests the alert rules and the dashboard of `docs/monitoring`: see `tests/monitoring`.
