//! Actions on review jobs.

use std::time::Duration;

use graceful::backends::JobChange;

use super::{
    Action, Done,
    flows::minutes_of,
    incident::SeenIncident,
    recorded::{Deed, Kind, recorded},
};
use crate::{
    access::Permission,
    page::{PageError, duration},
    request::{Query, View},
};

/// Completes an open job: nobody needs to look into the incident any more.
#[derive(Debug)]
pub(super) struct CompleteJob(SeenIncident);

impl Action for CompleteJob {
    const NAME: &'static str = "complete-job";
    const PERMISSION: Permission = Permission::Jobs;

    fn parse(form: &mut Query) -> Result<Self, PageError> {
        SeenIncident::parse(form).map(Self)
    }

    async fn act(self, view: &View) -> Result<Done, PageError> {
        let Self(seen) = self;
        let work = async {
            seen.job(view).await?;
            match view.orchestrator().scheduler() {
                Some(scheduler) if scheduler.complete(&seen.incident).await? == JobChange::Completed => {
                    Ok(())
                }
                _ => Err(closed()),
            }
        };
        recorded(view, Kind::CompleteJob, deed("complete the review job", &seen), work).await?;
        let notice = format!("The review job of {} is completed.", seen.entity());
        Ok(Done::show("jobs", seen.query(view)).notice(notice))
    }
}

/// Makes an open job due at another time.
#[derive(Debug)]
pub(super) struct PostponeJob(SeenIncident, Duration);

impl Action for PostponeJob {
    const NAME: &'static str = "postpone-job";
    const PERMISSION: Permission = Permission::Jobs;

    fn parse(form: &mut Query) -> Result<Self, PageError> {
        let minutes = form.take_parsed("minutes")?;
        Ok(Self(SeenIncident::parse(form)?, minutes_of(minutes)?))
    }

    async fn act(self, view: &View) -> Result<Done, PageError> {
        let Self(seen, after) = self;
        let work = async {
            seen.job(view).await?;
            match view.orchestrator().scheduler() {
                Some(scheduler) if scheduler.reschedule(&seen.incident, after).await? => Ok(()),
                _ => Err(closed()),
            }
        };
        let what = format!("make the review job due in {}", duration(after));
        let deed = deed(&what, &seen).with("after_seconds", after.as_secs());
        recorded(view, Kind::PostponeJob, deed, work).await?;
        let notice = format!("The review job of {} is due in {}.", seen.entity(), duration(after));
        Ok(Done::show("jobs", seen.query(view)).notice(notice))
    }
}

/// Somebody else was faster. This fails the action, so that its record does not say that it was done.
fn closed() -> PageError {
    PageError::changed("the job is closed by now")
}

/// Something that is done to the job or alert of an incident.
pub(super) fn deed(what: &str, seen: &SeenIncident) -> Deed {
    let (entity, owner) = (seen.entity(), seen.incident.owner());
    Deed::new(format_args!("{what} of {entity}, {owner}"))
        .with("entity", entity)
        .with("owner", owner.as_str())
}
