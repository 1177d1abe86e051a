//! Revealing the payload of a flow.

use graceful::{
    Payload,
    backends::{Uuid, escaped},
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
        let entity = &*stored.summary.entity;
        let deed = Deed::new(format_args!("reveal the payload of flow {id} of {entity}"))
            .with("flow", id.to_string())
            .with("entity", entity);
        // A payload is not revealed without a record of it.
        if view.orchestrator().audit().is_none() {
            return Err(PageError::unavailable(
                "the payload is not shown, because there is no audit log to record it in",
            ));
        }
        let work = async { Ok(stored.flow()?.payload().clone()) };
        let payload = recorded(view, Kind::Reveal, deed, work).await?;
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
