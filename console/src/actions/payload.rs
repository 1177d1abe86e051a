//! Revealing the payload of a flow.

use graceful::{
    Key, Payload,
    backends::{AuditFilter, AuditQuery, Uuid, escaped},
    operations::{ENTITY, OPERATIONS},
};
use maud::html;
use serde_json::Value;

use super::{
    Action, Done,
    recorded::{Deed, Kind, recorded},
};
use crate::{
    access::Permission,
    page::{PageError, link},
    request::{Query, View},
};

/// How much of a payload is shown, in bytes.
const MAX_SHOWN: usize = 64 * 1024;

/// How many of the operator's last records are looked through for that of the action.
const LAST: usize = 50;

/// Shows the payload of one flow, if that was recorded.
#[derive(Debug)]
pub(super) struct Reveal(Uuid);

impl Action for Reveal {
    const NAME: &'static str = "reveal";
    const PERMISSION: Permission = Permission::Reveal;

    fn parse(form: &mut Query) -> Result<Self, PageError> {
        Ok(Self(form.take_parsed("id")?.ok_or_else(|| PageError::invalid("`id` is missing"))?))
    }

    async fn act(self, view: &View) -> Result<Done, PageError> {
        let Self(id) = self;
        let gone = || {
            PageError::not_found(format_args!("there is no flow {id}: it was purged, or never stored here"))
        };
        let stored = view.store()?.get(id).await?;
        let stored = stored.filter(|stored| view.may_see(&stored.summary.entity)).ok_or_else(gone)?;
        let request = Uuid::new_v4();
        let entity = &*stored.summary.entity;
        let deed = Deed::new(format_args!("reveal the payload of flow {id} of {entity}"))
            .with("flow", id.to_string())
            .with("entity", entity)
            .with("request", request.to_string());
        let work = async { Ok(stored.flow()?.payload().clone()) };
        let payload = recorded(view, Kind::Reveal, deed, work).await?;
        check_recorded(view, request).await?;
        let (shown, is_cut) = shown(&payload);
        Ok(Done::answer("flow", "Payload", move |_| {
            let id = id.to_string();
            html! {
                p { "The payload of flow " a.id href=(link("flow", &[("id", &id)])) { (id) } ". That you have seen it is recorded." }
                @if is_cut { p.warning { "Only the first 64 KiB are shown." } }
                pre tabindex="0" { (shown) }
            }
        }))
    }
}

/// A payload is not revealed without a record of it.
async fn check_recorded(view: &View, request: Uuid) -> Result<(), PageError> {
    let unrecorded = || {
        PageError::unavailable("the payload is not shown, because it could not be recorded in an audit log")
    };
    let (orchestrator, request) = (view.orchestrator(), request.to_string());
    let log = orchestrator.audit().ok_or_else(unrecorded)?;
    let mut filter = AuditFilter::default();
    filter.entity = Some(Key::new(orchestrator.service(), None, OPERATIONS, ENTITY).to_string());
    let records = log.query(AuditQuery::new(filter, LAST)).await?.items;
    let is_recorded = records
        .iter()
        .filter_map(|record| record.payload.as_ref())
        .any(|payload| payload.decode::<Value>().is_ok_and(|deed| deed["request"] == *request));
    if is_recorded { Ok(()) } else { Err(unrecorded()) }
}

/// The payload as readable JSON, and whether it is cut.
fn shown(payload: &Payload) -> (String, bool) {
    let readable = payload.decode::<Value>().ok().and_then(|value| serde_json::to_string_pretty(&value).ok());
    let mut json = readable.unwrap_or_else(|| payload.as_json().to_owned());
    let is_cut = json.len() > MAX_SHOWN;
    if is_cut {
        let end = (0..=MAX_SHOWN).rev().find(|end| json.is_char_boundary(*end));
        json.truncate(end.unwrap_or_default());
    }
    // Lines stay lines; other control characters and those that change the direction of a text are escaped.
    let lines = json.split('\n').map(escaped);
    (lines.collect::<Vec<_>>().join("\n"), is_cut)
}
