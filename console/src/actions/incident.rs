//! The incident of a form, and the version of what the page shows of it.

use std::fmt::Write as _;

use graceful::{
    Incident, Key,
    backends::{Alert, IncidentFilter, Job, Timestamp},
};
use maud::{Markup, html};

use crate::{
    page::PageError,
    request::{Query, View},
};

/// How many incidents of one entity are looked through. Each has another handler.
const OF_ONE_ENTITY: usize = 500;

/// An incident as a form names it, and the version of what was shown of it.
#[derive(Debug)]
pub(super) struct SeenIncident {
    pub(super) incident: Incident,
    seen: String,
}

/// The hidden fields of a form about an incident.
pub(crate) fn incident_fields(incident: &Incident, seen: &str) -> Markup {
    html! {
        (key_field(incident.entity()))
        input type="hidden" name="owner" value=(incident.owner());
        input type="hidden" name="seen" value=(seen);
    }
}

/// The hidden field of a key. A name would not do: it has only the hash of a long part.
pub(crate) fn key_field(key: &Key) -> Markup {
    let json = serde_json::to_string(key).unwrap_or_default();
    let mut ascii = String::with_capacity(json.len());
    for char in json.chars() {
        match char.is_ascii() {
            true => ascii.push(char),
            false => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    let _ = write!(ascii, "\\u{unit:04x}");
                }
            }
        }
    }
    html! { input type="hidden" name="key" value=(ascii); }
}

/// Takes the key of a form, whose data must be visible to the operator.
pub(super) fn take_key(form: &mut Query) -> Result<Key, PageError> {
    serde_json::from_str(&form.need("key")?).map_err(|_| PageError::invalid("`key` is not valid"))
}

/// The version of a job as it is shown. Every change of the job changes it.
pub(crate) fn seen_job(job: &Job) -> String {
    let [opened, due] = [job.opened_at, job.due].map(Timestamp::as_microsecond);
    format!("{opened}.{due}.{}.{}", job.bumps, job.attempts)
}

/// The version of an alert as it is shown. Every change of the alert changes it.
pub(crate) fn seen_alert(alert: &Alert) -> String {
    let [first, last] = [alert.fired_at, alert.last_fired_at].map(Timestamp::as_microsecond);
    format!("{first}.{last}.{}", alert.count)
}

impl SeenIncident {
    pub(super) fn parse(form: &mut Query) -> Result<Self, PageError> {
        let (key, owner) = (take_key(form)?, form.take("owner")?.unwrap_or_default());
        Ok(Self { incident: Incident::new(key, owner), seen: form.need("seen")? })
    }

    /// The open job, if it is still as it was shown.
    pub(super) async fn job(&self, view: &View) -> Result<Job, PageError> {
        view.check_entity(&self.entity())?;
        let scheduler = view
            .orchestrator()
            .scheduler()
            .ok_or_else(|| PageError::not_found("there are no review jobs"))?;
        let jobs = scheduler.jobs(self.filter(), None, OF_ONE_ENTITY).await?.items;
        let job = jobs.into_iter().find(|job| job.incident() == self.incident);
        let job = job.ok_or_else(|| PageError::changed("the job is closed by now"))?;
        match seen_job(&job) == self.seen {
            true => Ok(job),
            false => Err(PageError::changed("the job has changed since: look at it again")),
        }
    }

    /// The open alert, if it is still as it was shown.
    pub(super) async fn alert(&self, view: &View) -> Result<Alert, PageError> {
        view.check_entity(&self.entity())?;
        let alerts =
            view.orchestrator().alerts().ok_or_else(|| PageError::not_found("there are no alerts"))?;
        let open = alerts.open(self.filter(), None, OF_ONE_ENTITY).await?.items;
        let alert = open.into_iter().find(|alert| alert.incident() == self.incident);
        let alert = alert.ok_or_else(|| PageError::changed("the alert is resolved by now"))?;
        match seen_alert(&alert) == self.seen {
            true => Ok(alert),
            false => Err(PageError::changed("the alert has fired again since: look at it again")),
        }
    }

    /// The full name of the entity.
    pub(super) fn entity(&self) -> String {
        self.incident.entity().to_string()
    }

    /// The filter of the page that shows what is left: of the operator's tenant.
    pub(super) fn query(&self, view: &View) -> Vec<(&'static str, String)> {
        match view.access.is_unrestricted() {
            true => Vec::new(),
            false => vec![("tenant", self.incident.entity().tenant().to_owned())],
        }
    }

    fn filter(&self) -> IncidentFilter {
        let mut filter = IncidentFilter::default();
        filter.entity = Some(self.entity());
        filter
    }
}
