//! The alert store; changes are logged.

use std::sync::Arc;

use graceful::{
    Flow, Severity,
    backends::{Alert, AlertChange, Alerter, Reply},
};

use super::{Store, Tables};

impl Alerter for Store {
    fn fire(&self, flow: &Arc<Flow>, severity: Severity) -> Reply<AlertChange> {
        let (flow, logged) = (Arc::clone(flow), Arc::clone(flow));
        let fired = self.writer().write(move |connection| {
            let flow = Arc::clone(&flow);
            Box::pin(async move { Tables::fire(connection, &flow, severity).await })
        });
        fired.map(move |(alert, change)| {
            Alert::log_fired(&logged, alert.severity, alert.count);
            change
        })
    }

    fn resolve(&self, flow: &Arc<Flow>) -> Reply<AlertChange> {
        let (store, flow, incident) = (self.clone(), Arc::clone(flow), flow.incident().to_string());
        Reply::pending(async move {
            // Every success checks, and few find an alert, so a reader checks first, without a write transaction.
            let open = store.read(move |connection| {
                Box::pin(async move { Tables::open_alert(connection, &incident).await })
            });
            if open.await?.is_none() {
                return Ok(AlertChange::NotOpen);
            }
            let of = Arc::clone(&flow);
            let resolved = store.writer().write(move |connection| {
                let flow = Arc::clone(&of);
                Box::pin(async move { Tables::resolve(connection, &flow).await })
            });
            let Some(alert) = resolved.await? else { return Ok(AlertChange::NotOpen) };
            alert.log_resolved(&flow);
            Ok(AlertChange::Resolved)
        })
    }

    fn open(&self) -> Reply<Vec<Alert>> {
        self.read(|connection| Box::pin(Tables::open_alerts(connection)))
    }

    fn resolved(&self, limit: usize) -> Reply<Vec<Alert>> {
        self.read(move |connection| Box::pin(Tables::resolved_alerts(connection, limit)))
    }
}
