//! The audit records.

use graceful::{
    backends::{AuditCursor, AuditFilter, AuditQuery, AuditRecord, Page as ListPage, RecordCheck},
    operations::json,
};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::{
    access::Permission,
    page::{
        EntityLink, Frame, Page, PageError, Tone, badge, cut, filter_form, handler_link, link, more,
        optional, table, text, time,
    },
    request::{Query, View},
};

/// How many records one page shows.
const LIMIT: usize = 50;

/// What the fields of the filter expect.
const FIELDS: [(&str, &str); 5] = [
    ("actor", "ada"),
    ("entity", "users::user:42"),
    ("tenant", ""),
    ("since", "2h or 2026-01-31T10:00:00Z"),
    ("until", "2h or 2026-01-31T10:00:00Z"),
];

/// A record, and whether it is as it was appended.
pub(super) type Checked = (AuditRecord, RecordCheck);

/// A page of audit records, the newest first.
#[derive(Debug)]
pub(crate) struct Audit {
    filter: AuditFilter,
    operators: String,
    /// `None` if there is no audit log.
    found: Option<ListPage<Checked, AuditCursor>>,
}

impl Page for Audit {
    const PATH: &'static str = "audit";
    const TITLE: &'static str = "Audit";

    async fn load(view: &View, query: &mut Query) -> Result<Self, PageError> {
        let after: Option<AuditCursor> = query.take_parsed("after")?;
        let mut filter = AuditFilter::parse(query.take_rest()).map_err(PageError::invalid)?;
        filter.tenant = view.tenant(filter.tenant, filter.entity.as_deref())?;
        let found = match view.orchestrator().audit() {
            Some(log) => {
                let mut page = AuditQuery::new(filter.clone(), LIMIT);
                if let Some(after) = after {
                    page = page.continued(after).map_err(PageError::invalid)?;
                }
                Some(log.verified(page).await?)
            }
            None => None,
        };
        Ok(Self { filter, operators: view.shared.operators(), found })
    }

    fn json(&self) -> Value {
        let found = self.found.as_ref();
        let records = found.map(|page| page.items.iter().map(checked_json).collect::<Vec<_>>());
        let next = found.and_then(|page| page.next.as_ref()).map(ToString::to_string);
        json!({ "records": records, "next": next })
    }

    fn html(&self, frame: &Frame<'_>) -> Markup {
        let Some(found) = &self.found else {
            return html! { p.none { "This service has no audit log." } };
        };
        let pairs = self.filter.pairs();
        html! {
            nav.tabs aria-label="Records" {
                a href="audit" { "all" }
                a href=(link("audit", &[("entity", &self.operators)])) { "of operators" }
            }
            (filter_form("audit", &FIELDS, &pairs))
            (records_table(frame, &found.items))
            (more("audit", &pairs, found.next.as_ref().map(ToString::to_string)))
            (frame.form("verify-chain", Permission::Verify, &html! {
                label {
                    span { "Known head" }
                    input type="text" name="known" placeholder="from an earlier verification" autocomplete="off" spellcheck="false";
                }
                button type="submit" { "Verify the chain" }
                p.none { "It reads all records, for at most 30 s." }
            }))
        }
    }
}

/// A record with its check, as JSON.
pub(super) fn checked_json((record, check): &Checked) -> Value {
    let mut shown = json::record(record);
    // With the hash, a payload could be guessed without a record of it.
    shown.as_object_mut().map(|fields| fields.remove("payload_sha256"));
    shown["check"] = check.as_str().into();
    shown
}

/// A table of records.
fn records_table(frame: &Frame<'_>, records: &[Checked]) -> Markup {
    let row = |(record, check): &Checked| {
        vec![
            time(record.at, frame.now),
            html! {
                @match record.actor.as_deref() {
                    Some(actor) => { a href=(link("audit", &[("actor", actor)])) { (cut(actor, 100)) } },
                    None => (optional(None)),
                }
                @if record.tags.iter().any(|tag| **tag == *"unverified") { " (unverified)" }
            },
            handler_link(&record.handler),
            html! { (EntityLink(&record.entity.to_string())) },
            outcome(record),
            cut(&record.message, 300),
            check_badge(*check),
        ]
    };
    let rows: Vec<_> = records.iter().map(row).collect();
    table("Audit records", &["Time", "Actor", "Handler", "Entity", "Outcome", "Message", "Check"], &rows)
}

/// The outcome and the code of a record, with a link to its flow.
pub(super) fn outcome(record: &AuditRecord) -> Markup {
    let tone = if record.ending.is_success() { Tone::Good } else { Tone::Bad };
    html! {
        (badge(tone, &html! { (record.ending.as_str()) })) " " (record.code.as_str())
        @if let Some(event) = &record.event { " " (text(event)) }
    }
}

/// Whether the record is as it was appended.
pub(super) fn check_badge(check: RecordCheck) -> Markup {
    match check {
        RecordCheck::Intact => badge(Tone::Good, &html! { "intact" }),
        RecordCheck::Changed => badge(Tone::Bad, &html! { "changed" }),
        _ => html! { span.none title="The log has no chain, so it cannot be known" { "unchained" } },
    }
}
