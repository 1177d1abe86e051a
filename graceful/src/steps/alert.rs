//! `alert`: resolve the entity's open alert; fire it.

use std::sync::Arc;

use super::{Backends, Done, did, failing, no_backend, skipped};
use crate::{
    backends::{AlertChange, Reply},
    flow::Flow,
};

pub(super) fn success(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(alerts) = &backends.alerts else { return no_backend() };
    let former = flow.under_former_identities();
    if former.is_empty() {
        return failing(alerts.resolve(flow).map(done), flow.entity_fault());
    }
    let (alerts, own) = (Arc::clone(alerts), Arc::clone(flow));
    let resolved = Reply::pending(async move {
        let mut change = alerts.resolve(&own).await?;
        for flow in former {
            if alerts.resolve(&flow).await? == AlertChange::Resolved {
                change = AlertChange::Resolved;
            }
        }
        Ok(change)
    });
    failing(resolved.map(done), flow.entity_fault())
}

pub(super) fn error(backends: &Backends, flow: &Arc<Flow>) -> Reply<Done> {
    let Some(alerts) = &backends.alerts else { return no_backend() };
    if !flow.declaration.options.alerts(flow.code) {
        return skipped("not a server fault");
    }
    failing(alerts.fire(flow, flow.declaration.options.severity).map(done), flow.entity_fault())
}

const fn done(change: AlertChange) -> Done {
    did(match change {
        AlertChange::Opened => "fired",
        AlertChange::Repeated => "fired again",
        AlertChange::Resolved => "resolved",
        AlertChange::NotOpen => "no open alert",
    })
}
