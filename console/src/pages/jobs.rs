//! The list of open review jobs.

use graceful::{
    backends::{IncidentCursor, IncidentFilter, Job, Page as ListPage, Timestamp},
    operations::json,
};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::{
    access::Permission,
    actions::{incident_fields, seen_job},
    page::{
        EntityLink, Frame, Page, PageError, Tone, badge, cut, filter_form, flow_link, handler_link, more,
        optional, table, time,
    },
    request::{Query, View},
};

/// How many jobs one page shows.
const LIMIT: usize = 50;

/// What the fields of the filter expect.
pub(super) const FIELDS: [(&str, &str); 2] = [("entity", "users::user:42"), ("tenant", "")];

/// A page of open jobs, the oldest first.
#[derive(Debug)]
pub(crate) struct Jobs {
    filter: IncidentFilter,
    /// `None` if there is no scheduler.
    found: Option<ListPage<Job, IncidentCursor>>,
}

impl Page for Jobs {
    const PATH: &'static str = "jobs";
    const TITLE: &'static str = "Review jobs";

    async fn load(view: &View, query: &mut Query) -> Result<Self, PageError> {
        let after: Option<IncidentCursor> = query.take_parsed("after")?;
        let filter = incident_filter(view, query)?;
        let found = match view.orchestrator().scheduler() {
            Some(scheduler) => Some(scheduler.jobs(filter.clone(), after, LIMIT).await?),
            None => None,
        };
        Ok(Self { filter, found })
    }

    fn json(&self) -> Value {
        let found = self.found.as_ref();
        let jobs = found.map(|page| page.items.iter().map(json::job).collect::<Vec<_>>());
        let next = found.and_then(|page| page.next.as_ref()).map(ToString::to_string);
        json!({ "jobs": jobs, "next": next })
    }

    fn html(&self, frame: &Frame<'_>) -> Markup {
        let Some(found) = &self.found else {
            return html! { p.none { "This service has no scheduler, so it has no review jobs." } };
        };
        let pairs = self.filter.pairs();
        html! {
            (filter_form("jobs", &FIELDS, &pairs))
            (jobs_table(frame, &found.items))
            (more("jobs", &pairs, found.next.as_ref().map(ToString::to_string)))
        }
    }
}

/// Takes the filter of incidents from what is left of a query, restricted to what may be shown.
pub(super) fn incident_filter(view: &View, query: &mut Query) -> Result<IncidentFilter, PageError> {
    let mut filter = IncidentFilter::parse(query.take_rest()).map_err(PageError::invalid)?;
    filter.tenant = view.tenant(filter.tenant, filter.entity.as_deref())?;
    Ok(filter)
}

/// A table of jobs, with their actions.
pub(super) fn jobs_table(frame: &Frame<'_>, jobs: &[Job]) -> Markup {
    let rows: Vec<_> = jobs.iter().map(|job| row(frame, job)).collect();
    table(
        "Open review jobs",
        &["State", "Entity", "Handler", "Code", "Opened", "Flows", "Last review", "Actions"],
        &rows,
    )
}

fn row(frame: &Frame<'_>, job: &Job) -> Vec<Markup> {
    vec![
        state(frame, job),
        html! {
            @if job.summary { (summary(job.entity.pattern())) " " (cut(&job.id, 200)) }
            @else { (EntityLink(&job.entity.to_string())) }
        },
        handler_link(&job.owner),
        html! { (job.code.as_str()) },
        time(job.opened_at, frame.now),
        html! {
            (frame.live(&format!("bumps-{}", job.id), job.bumps)) ", last "
            (flow_link(job.flow))
        },
        html! {
            @match &job.error {
                Some(error) => { (job.attempts) " attempts: " (cut(error, 160)) },
                None => (optional(None)),
            }
        },
        actions(frame, job),
    ]
}

/// Says that a row stands for many entities.
pub(super) fn summary(pattern: &str) -> Markup {
    html! {
        (badge(Tone::Busy, &html! { "storm" }))
        " Summary: further entities of the pattern " (cut(pattern, 100)) " fail with this code, beyond 20 single ones."
    }
}

fn state(frame: &Frame<'_>, job: &Job) -> Markup {
    match job.held_until.filter(|until| *until > frame.now) {
        Some(until) => {
            html! { (badge(Tone::Busy, &html! { "in review" })) " until " (time(until, frame.now)) }
        }
        None if job.due == Timestamp::MAX => {
            html! { (badge(Tone::Bad, &html! { "given up" })) " no worker gets it until it fails again" }
        }
        None if job.due <= frame.now => {
            html! { (badge(Tone::Bad, &html! { "due" })) " since " (time(job.due, frame.now)) }
        }
        None => html! { (badge(Tone::Plain, &html! { "waiting" })) " until " (time(job.due, frame.now)) },
    }
}

fn actions(frame: &Frame<'_>, job: &Job) -> Markup {
    let fields = incident_fields(&job.incident(), &seen_job(job));
    html! {
        (frame.form("complete-job", Permission::Jobs, &html! { (fields) button type="submit" { "Complete" } }))
        (frame.form("postpone-job", Permission::Jobs, &html! {
            (fields)
            button type="submit" { "Make due in" }
            label { input.short type="number" name="minutes" min="1" value="60" aria-label="Minutes"; " min" }
        }))
    }
}
