//! Dropping a cached value.

use graceful::{Key, backends::Hit};

use super::{
    Action, Done,
    incident::take_key,
    recorded::{Deed, Kind, recorded},
};
use crate::{
    access::Permission,
    page::PageError,
    request::{Query, View},
};

/// Drops the cached value of an entity; of a pattern that is read through the cache, also what depends on it.
#[derive(Debug)]
pub(super) struct DropCache {
    key: Key,
    seen: String,
}

/// The version of a cache entry as it is shown.
pub(crate) fn seen_entry(hit: &Hit) -> String {
    let version = hit.entry.version.map(|version| version.to_string()).unwrap_or_default();
    format!("{}.{version}", hit.entry.stored_at.as_microsecond())
}

impl Action for DropCache {
    const NAME: &'static str = "drop-cache";
    const PERMISSION: Permission = Permission::Cache;

    fn parse(form: &mut Query) -> Result<Self, PageError> {
        Ok(Self { key: take_key(form)?, seen: form.need("seen")? })
    }

    async fn act(self, view: &View) -> Result<Done, PageError> {
        let (Self { key, seen }, orchestrator) = (self, view.orchestrator());
        let name = key.to_string();
        let work = async {
            view.check_entity(&name)?;
            let found = orchestrator.cache_entry(&key).await?;
            let found = found.ok_or_else(|| PageError::changed("there is no cached value any more"))?;
            if seen_entry(&found) != seen {
                return Err(PageError::changed("another value is cached by now: look at it again"));
            }
            Ok(orchestrator.invalidate([key.clone()]).await?)
        };
        let deed = Deed::new(format_args!("drop the cached value of {name}")).with("entity", &*name);
        recorded(view, Kind::DropCache, deed, work).await?;
        let notice = format!("The cached value of {name} is dropped.");
        Ok(Done::show("entity", vec![("entity", name)]).notice(notice))
    }
}
