//! Actions on alerts.

use graceful::backends::AlertChange;

use super::{
    Action, Done,
    incident::SeenIncident,
    jobs::deed,
    recorded::{Kind, recorded},
};
use crate::{
    access::Permission,
    page::PageError,
    request::{Query, View},
};

/// Resolves an open alert. The next failure opens a new one.
#[derive(Debug)]
pub(super) struct ResolveAlert(SeenIncident);

impl Action for ResolveAlert {
    const NAME: &'static str = "resolve-alert";
    const PERMISSION: Permission = Permission::Alerts;

    fn parse(form: &mut Query) -> Result<Self, PageError> {
        SeenIncident::parse(form).map(Self)
    }

    async fn act(self, view: &View) -> Result<Done, PageError> {
        let Self(seen) = self;
        let work = async {
            seen.alert(view).await?;
            match view.orchestrator().alerts() {
                Some(alerts) if alerts.close(&seen.incident).await? == AlertChange::Resolved => Ok(()),
                // The record must not say that it was done.
                _ => Err(PageError::changed("the alert is resolved by now")),
            }
        };
        recorded(view, Kind::ResolveAlert, deed("resolve the alert", &seen), work).await?;
        let notice = format!("The alert of {} is resolved.", seen.entity());
        Ok(Done::show("alerts", seen.query(view)).notice(notice))
    }
}
