//! What this process is set up to do, and what the operator may do.

use graceful::{
    Health, Step,
    backends::{LiveRelay, Operation, PatternUse},
    operations::json,
};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::{
    access::Permission,
    page::{
        Frame, Page, PageError, ago, duration, fields, handler_link, link, more, optional, table, text, time,
    },
    pages::overview::health_badge,
    request::{Query, View},
};

/// How many patterns one page shows.
const LIMIT: usize = 50;

/// The settings of this process.
#[derive(Debug)]
pub(crate) struct Settings {
    service: String,
    environment: String,
    is_production: bool,
    operator: String,
    permissions: Vec<Permission>,
    /// Each step with its backend, and the durable flows.
    backends: Vec<(&'static str, bool)>,
    /// `None` if the store does not answer.
    is_read_only: Option<bool>,
    health: Health,
    relays: Option<Vec<LiveRelay>>,
    patterns: Option<Vec<PatternUse>>,
    /// The name of the last pattern of a full page.
    next: Option<String>,
}

impl Page for Settings {
    const PATH: &'static str = "settings";
    const TITLE: &'static str = "Settings";

    async fn load(view: &View, query: &mut Query) -> Result<Self, PageError> {
        view.needs_all_tenants()?;
        let after = query.take("after")?;
        let (shared, orchestrator) = (&view.shared, view.orchestrator());
        let store = orchestrator.flows();
        let (health, is_read_only, relays, patterns) = tokio::join!(
            orchestrator.health(),
            async { shared.number(store?.is_read_only()).await },
            async { shared.number(store?.relays()).await },
            async { shared.number(orchestrator.nexus()?.patterns(after.as_deref(), LIMIT)).await },
        );
        let last = patterns.as_ref().filter(|found| found.len() == LIMIT).and_then(|found| found.last());
        Ok(Self {
            service: orchestrator.service().to_owned(),
            environment: orchestrator.environment().to_owned(),
            is_production: shared.is_production,
            operator: view.access.who().to_owned(),
            permissions: Permission::ALL
                .into_iter()
                .filter(|permission| view.access.may(*permission))
                .collect(),
            backends: backends(view),
            is_read_only,
            health,
            relays,
            next: last.map(|last| last.pattern.to_string()),
            patterns,
        })
    }

    fn json(&self) -> Value {
        let permissions: Vec<_> = self.permissions.iter().map(|permission| permission.as_str()).collect();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "service": self.service,
            "environment": self.environment,
            "production": self.is_production,
            "operator": self.operator,
            "permissions": permissions,
            "backends": self.backends.iter().map(|(name, has)| ((*name).to_owned(), (*has).into())).collect::<serde_json::Map<_, _>>(),
            "read_only": self.is_read_only,
            "health": { "status": self.health.status.as_str(), "reasons": self.health.reasons },
            "relays": self.relays.as_ref().map(|relays| relays.iter().map(json::relay).collect::<Vec<_>>()),
            "patterns": self.patterns.as_ref().map(|patterns| patterns.iter().map(json::pattern).collect::<Vec<_>>()),
            "next": self.next,
        })
    }

    fn html(&self, frame: &Frame<'_>) -> Markup {
        html! {
            div.two {
                section { h2 { "Service" } (self.service()) }
                section { h2 { "Health of this process" } (health_badge(frame, &self.health)) }
            }
            section { h2 { "You" } (self.operator()) }
            section { h2 { "Backends of this process" } (self.backends()) }
            section { h2 { "Live relays" } (self.relays(frame)) }
            @if self.patterns.is_some() { section { h2 { "Patterns" } (self.patterns(frame)) } }
        }
    }
}

/// Which steps have a backend. A backend's own text could contain passwords, so it is not shown.
fn backends(view: &View) -> Vec<(&'static str, bool)> {
    let orchestrator = view.orchestrator();
    let has = |step| match step {
        Step::Fallback | Step::Cache => orchestrator.cache().is_some(),
        Step::Metadata => orchestrator.metadata().is_some(),
        Step::Graph => orchestrator.graph().is_some(),
        Step::Schedule => orchestrator.scheduler().is_some(),
        Step::Event => orchestrator.events().is_some(),
        Step::Nexus => orchestrator.nexus().is_some(),
        Step::Audit => orchestrator.audit().is_some(),
        Step::Alert => orchestrator.alerts().is_some(),
    };
    let steps = Step::ALL.into_iter().map(|step| (step.as_str(), has(step)));
    steps.chain([("durable", orchestrator.flows().is_some())]).collect()
}

impl Settings {
    fn service(&self) -> Markup {
        let is_durable = self.backends.iter().any(|(name, has)| *name == "durable" && *has);
        let mut pairs = vec![
            ("service", optional(Some(&self.service))),
            ("environment", optional(Some(&self.environment))),
            ("production", html! { (yes(self.is_production)) }),
            ("version of graceful", html! { (env!("CARGO_PKG_VERSION")) }),
        ];
        if is_durable {
            let writable = self.is_read_only.map_or("–", |is_read_only| yes(!is_read_only));
            pairs.extend([
                ("store can be changed", html! { (writable) }),
                ("a relay counts as alive for", html! { (duration(LiveRelay::ALIVE_FOR)) }),
                ("a prepared operation expires after", html! { (duration(Operation::EXPIRES_AFTER)) }),
                ("an operation stops after", html! { (Operation::MAX_FAILURES) " failures in a row" }),
            ]);
        }
        fields(&pairs)
    }

    fn operator(&self) -> Markup {
        let may: Vec<_> = Permission::ALL
            .iter()
            .map(|permission| {
                vec![html! { (permission) }, html! { (yes(self.permissions.contains(permission))) }]
            })
            .collect();
        html! {
            p { "You are " (text(&self.operator)) "." }
            (table("What you may do", &["Permission", "Granted"], &may))
        }
    }

    fn backends(&self) -> Markup {
        let row = |(name, has): &(&str, bool)| vec![html! { (name) }, html! { (yes(*has)) }];
        let rows: Vec<_> = self.backends.iter().map(row).collect();
        table("Backends of this process", &["Step", "Backend"], &rows)
    }

    fn relays(&self, frame: &Frame<'_>) -> Markup {
        let Some(relays) = &self.relays else { return html! { p.none { "–" } } };
        let row = |LiveRelay { info, since, seen_at, .. }: &LiveRelay| {
            vec![
                html! { (text(&info.service)) " " (text(&info.environment)) },
                html! { (text(&info.host)) " " (info.process) },
                text(&info.version),
                time(*since, frame.now),
                html! { (frame.live(&format!("seen-{}", info.id), ago(*seen_at, frame.now))) },
                html! {
                    details {
                        summary { (info.handlers.len()) }
                        ul { @for handler in &info.handlers { li { (handler_link(handler)) " " span.id { (text(handler)) } } } }
                    }
                },
            ]
        };
        let rows: Vec<_> = relays.iter().map(row).collect();
        table(
            "Live relays",
            &["Service", "Host and process", "Version", "Since", "Last seen", "Durable handlers"],
            &rows,
        )
    }

    fn patterns(&self, frame: &Frame<'_>) -> Markup {
        let row = |used: &PatternUse| {
            vec![
                html! { a href=(link("flows", &[("pattern", of_flows(&used.pattern))])) { (text(&used.pattern)) } },
                html! { (frame.live(&format!("used-{}", used.pattern), used.count)) },
                time(used.first_used, frame.now),
                time(used.last_used, frame.now),
            ]
        };
        let rows: Vec<_> = self.patterns.iter().flatten().map(row).collect();
        html! {
            (table("Patterns", &["Pattern", "Used", "First", "Last"], &rows))
            (more("settings", &[], self.next.clone()))
        }
    }
}

/// The pattern as its flows have it, whatever their outcome.
fn of_flows(pattern: &str) -> &str {
    pattern.strip_suffix(".error").unwrap_or(pattern)
}

const fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}
