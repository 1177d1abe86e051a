//! The first page: what fails, and how much there is to do.

use graceful::{
    Health, HealthStatus,
    backends::{Alert, FailureGroups, FlowFilter, FlowState, IncidentFilter, Lag, LiveRelay},
    operations::json,
};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::{
    measurements::Throughput,
    page::{
        Frame, Page, PageError, Tone, ago, badge, count, cut, duration, handler_link, table, text, time,
        times,
    },
    pages::throughput::charts,
    request::{Query, View, link_to},
};

/// Up to what number flows are counted.
pub(crate) const CAP: u64 = 1000;

/// How many groups and alerts are shown.
const SHOWN: usize = 5;

/// What fails, and how much there is to do. Each part may be missing.
#[derive(Debug)]
pub(crate) struct Overview {
    /// The tenant, for the links; empty if all are shown.
    of_tenant: Vec<(&'static str, String)>,
    health: Health,
    lag: Option<Lag>,
    states: Vec<(FlowState, Option<graceful::backends::Count>)>,
    groups: Option<FailureGroups>,
    relays: Option<Vec<LiveRelay>>,
    alerts: Option<Vec<Alert>>,
    more_alerts: bool,
    /// `None` if it is not measured, or not shown: it concerns all tenants.
    throughput: Option<Throughput>,
}

impl Page for Overview {
    const PATH: &'static str = "";
    const TITLE: &'static str = "Overview";

    async fn load(view: &View, query: &mut Query) -> Result<Self, PageError> {
        let (shared, orchestrator) = (&view.shared, view.orchestrator());
        let (all, store) = (view.access.is_unrestricted(), orchestrator.flows());
        let mut of_tenant = IncidentFilter::parse(query.take_rest()).map_err(PageError::invalid)?;
        if of_tenant.entity.is_some() {
            return Err(PageError::invalid("`entity` is not known here"));
        }
        of_tenant.tenant = view.tenant(of_tenant.tenant, None)?;
        let mut filter = FlowFilter::default();
        filter.tenant.clone_from(&of_tenant.tenant);
        let health = orchestrator.health();
        let lag = async { shared.number(store.filter(|_| all)?.lag(CAP)).await };
        let counted = async |state| {
            let mut filter = filter.clone();
            filter.state = Some(state);
            let number = async { shared.number(store?.count(filter, CAP)).await };
            (state, number.await)
        };
        let groups = async { shared.number(store?.groups(filter.clone(), CAP)).await };
        let relays = async { shared.number(store.filter(|_| all)?.relays()).await };
        let pairs = of_tenant.pairs();
        let alerts = async { shared.number(orchestrator.alerts()?.open(of_tenant, None, SHOWN)).await };
        let [queued, completed, dead, discarded] = FlowState::ALL.map(counted);
        let (health, lag, groups, relays, alerts, queued, dead) =
            tokio::join!(health, lag, groups, relays, alerts, queued, dead);
        let (completed, discarded) = tokio::join!(completed, discarded);
        let measured = shared.measurements.as_ref().filter(|_| all);
        let more_alerts = alerts.as_ref().is_some_and(|page| page.next.is_some());
        Ok(Self {
            of_tenant: pairs,
            health,
            lag,
            states: vec![dead, queued, completed, discarded],
            groups,
            relays,
            alerts: alerts.map(|page| page.items),
            more_alerts,
            throughput: measured.map(|measured| measured.snapshot().throughput),
        })
    }

    fn json(&self) -> Value {
        let counts =
            self.states.iter().map(|(state, number)| (state.to_string(), number.map(json::count).into()));
        json!({
            "health": { "status": self.health.status.as_str(), "reasons": self.health.reasons },
            "lag": self.lag.as_ref().map(json::lag),
            "flows": counts.collect::<serde_json::Map<String, Value>>(),
            "groups": self.groups.as_ref().map(|found| found.groups.iter().map(json::group).collect::<Vec<_>>()),
            "relays": self.relays.as_ref().map(|relays| relays.iter().map(json::relay).collect::<Vec<_>>()),
            "alerts": self.alerts.as_ref().map(|alerts| alerts.iter().map(json::alert).collect::<Vec<_>>()),
            "throughput": self.throughput,
        })
    }

    fn html(&self, frame: &Frame<'_>) -> Markup {
        html! {
            (self.failures(frame))
            @if frame.view.orchestrator().flows().is_some() { (self.numbers(frame)) }
            @if let Some(throughput) = &self.throughput { section { h2 { "Flows of this process" } (charts(throughput)) } }
            (self.health(frame))
            (self.relays(frame))
        }
    }
}

impl Overview {
    /// The link to a page with this filter, of the same tenant.
    fn link(&self, page: &str, (key, value): (&str, &str)) -> String {
        let tenant = self.of_tenant.iter().map(|(key, tenant)| (*key, tenant.as_str()));
        link_to(page, tenant.chain([(key, value)]))
    }

    /// What fails; nothing if nothing does.
    fn failures(&self, frame: &Frame<'_>) -> Markup {
        let groups = self.groups.as_ref().filter(|found| !found.groups.is_empty());
        let alerts = self.alerts.as_ref().filter(|alerts| !alerts.is_empty());
        html! {
            @if groups.is_some() || alerts.is_some() {
                section.failing {
                    h2 { "Failing" }
                    @if let Some(found) = groups {
                        @let rows: Vec<_> = found.groups.iter().take(SHOWN).map(|group| vec![
                            html! { a href=(self.link("flows", ("group", &group.cause.group.to_string()))) {
                                (frame.live(&format!("dead-{}", group.cause.group), group.dead)) " dead, "
                                (frame.live(&format!("retrying-{}", group.cause.group), group.retrying)) " retrying"
                            } },
                            handler_link(&group.handler),
                            html! { @if let Some(step) = group.cause.step { (step.as_str()) } },
                            cut(&group.cause.error, 160),
                            time(group.last, frame.now),
                        ]).collect();
                        (table("Failures with one cause", &["Flows", "Handler", "Step", "Error", "Last"], &rows))
                        @if found.groups.len() > SHOWN || found.more { p { a href=(link_to("groups", self.of_tenant.clone())) { "All failures" } } }
                    }
                    @if let Some(alerts) = alerts {
                        @let rows: Vec<_> = alerts.iter().map(|alert| vec![
                            badge(Tone::Bad, &html! { (alert.severity.as_str()) }),
                            html! { (crate::page::EntityLink(&alert.entity.to_string())) },
                            handler_link(&alert.owner),
                            cut(&alert.message, 160),
                            html! { (times(alert.count)) ", last " (ago(alert.last_fired_at, frame.now)) },
                        ]).collect();
                        (table("Open alerts", &["Severity", "Entity", "Handler", "Message", "Fired"], &rows))
                        @if self.more_alerts { p { a href=(link_to("alerts", self.of_tenant.clone())) { "All alerts" } } }
                    }
                }
            }
        }
    }

    fn numbers(&self, frame: &Frame<'_>) -> Markup {
        let oldest = match self.lag.map(|lag| lag.oldest_due) {
            None => "–".to_owned(),
            Some(None) => "none is late".to_owned(),
            Some(Some(time)) => duration(time),
        };
        html! {
            section {
                h2 { "Flows" }
                dl.numbers {
                    @for (state, number) in &self.states {
                        div {
                            dt { a href=(self.link("flows", ("state", state.as_str()))) { (state) } }
                            dd { (frame.live(state.as_str(), count(*number))) }
                        }
                    }
                    @if let Some(lag) = &self.lag {
                        div { dt { "running" } dd { (frame.live("running", lag.running)) } }
                    }
                    div { dt { "oldest due for" } dd { (frame.live("oldest", oldest)) } }
                }
            }
        }
    }

    fn health(&self, frame: &Frame<'_>) -> Markup {
        html! { section { h2 { "Health of this process" } (health_badge(frame, &self.health)) } }
    }

    fn relays(&self, frame: &Frame<'_>) -> Markup {
        if !frame.view.access.is_unrestricted() {
            return html! {};
        }
        let Some(relays) = &self.relays else { return html! {} };
        let rows: Vec<_> = relays
            .iter()
            .map(|relay| {
                vec![
                    html! { (text(&relay.info.service)) " " (text(&relay.info.environment)) },
                    text(&relay.info.host),
                    html! { (relay.info.process) },
                    time(relay.since, frame.now),
                    html! { (ago(relay.seen_at, frame.now)) },
                    html! { (relay.info.handlers.len()) },
                ]
            })
            .collect();
        html! {
            section {
                h2 { "Relays" }
                (table("Live relays", &["Service", "Host", "Process", "Since", "Last seen", "Durable handlers"], &rows))
            }
        }
    }
}

/// The health of the process, with the reasons why it is not better.
pub(super) fn health_badge(frame: &Frame<'_>, health: &Health) -> Markup {
    let tone = match health.status {
        HealthStatus::Ready => Tone::Good,
        HealthStatus::Degraded => Tone::Busy,
        _ => Tone::Bad,
    };
    html! {
        p { (badge(tone, &frame.live("health", health.status.as_str()))) }
        @if !health.reasons.is_empty() {
            ul { @for reason in &health.reasons { li { (text(reason)) } } }
        }
    }
}
