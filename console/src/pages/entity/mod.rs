//! One entity: all that the stores know of it, on one time line.

mod known;
mod sections;
mod timeline;

use graceful::Key;
use maud::{Markup, html};
use serde_json::Value;

use self::known::Known;
use crate::{
    page::{Frame, Page, PageError, filter_form},
    request::{Query, View},
};

/// One entity, or the form that asks for one.
#[derive(Debug)]
pub(crate) struct Entity(Option<Box<Known>>);

impl Page for Entity {
    const PATH: &'static str = "entity";
    const TITLE: &'static str = "Entity";

    async fn load(view: &View, query: &mut Query) -> Result<Self, PageError> {
        let name = match (query.take("entity")?, query.take("pattern")?) {
            (Some(name), None) => name,
            (None, Some(pattern)) => {
                let tenant = view.tenant(tenant_of(query)?, None)?;
                Key::new(view.orchestrator().service(), tenant.as_deref(), pattern, query.need("id")?)
                    .to_string()
            }
            (Some(_), Some(_)) => {
                return Err(PageError::invalid("give either `entity` or `pattern` and `id`"));
            }
            (None, None) => return Ok(Self(None)),
        };
        Ok(Self(Some(Box::new(Known::load(view, name).await?))))
    }

    fn json(&self) -> Value {
        self.0.as_ref().map_or(Value::Null, |known| known.json())
    }

    fn html(&self, frame: &Frame<'_>) -> Markup {
        match &self.0 {
            Some(known) => known.html(frame),
            None => html! {
                section {
                    h2 { "By pattern and id" }
                    p.none { "An entity of this service." }
                    (filter_form("entity", &[("pattern", "user"), ("id", "42"), ("tenant", "")], &[]))
                }
                section {
                    h2 { "By the full name" }
                    (filter_form("entity", &[("entity", "users::user:42")], &[]))
                }
            },
        }
    }
}

/// Takes the tenant; an empty one is given too.
fn tenant_of(query: &mut Query) -> Result<Option<String>, PageError> {
    let mut tenants = query.take_all("tenant");
    match tenants.len() {
        0 | 1 => Ok(tenants.pop()),
        _ => Err(PageError::invalid("`tenant` is given twice")),
    }
}
