//! A service of users, in memory.

use graceful::{
    Classify, Context, Orchestrator, OrchestratorBuilder, RelaySettings, backends::memory, orchestrate,
};
use graceful_console::access::{Access, Permission};
use graceful_tests::faulty::{Fault, Faulty};

/// Texts that must not become a part of a page, a path or a link.
pub const HOSTILE: [&str; 10] =
    ["a/b", "..", "%2F", "#", "x&y", "é 😀", "<script>alert(1)</script>", "\"'><b>", "\u{202e}a\n", " "];

#[orchestrate(pattern = "user", id = id, cache = id, event = off, graph(relation = "member_of", to = "7", to_pattern = "team"))]
pub async fn update_user(id: &str, error: Option<&str>) -> Result<String, Refused> {
    match error {
        None => Ok(format!("ada {id}")),
        Some(why) => Err(Refused::Because { why: why.to_owned() }),
    }
}

/// An error whose message is shown.
#[derive(Debug, Classify)]
pub enum Refused {
    #[classify(code = Internal, message = "{why}")]
    Because { why: String },
}

pub fn builder() -> OrchestratorBuilder {
    let builder = Orchestrator::builder().service("users").in_memory().log_errors(false);
    builder.flows(memory::Flows::new()).relay(RelaySettings::off())
}

pub fn orchestrator() -> Orchestrator {
    builder().build().unwrap()
}

/// Updates a user of a tenant.
pub async fn update(orchestrator: &Orchestrator, tenant: &str, id: &str, error: Option<&str>) {
    let context = Context::new().tenant(tenant.to_owned()).actor("cleo");
    let _ = orchestrator.scope(context.scope(update_user(id, error))).await;
}

/// All backends but the store of flows fail or never answer.
pub fn faulty(fault: Fault) -> Orchestrator {
    let faulty = Faulty(fault);
    let builder =
        Orchestrator::builder().service("users").flows(memory::Flows::new()).relay(RelaySettings::off());
    let builder = builder.cache(faulty).metadata(faulty).graph(faulty).scheduler(faulty);
    builder.nexus(faulty).audit(faulty).alerts(faulty).build().unwrap()
}

pub fn ada() -> Access {
    Access::act("ada", Permission::ALL)
}

/// Everything but this permission.
pub fn without(permission: Permission) -> Access {
    Access::act("ada", Permission::ALL.into_iter().filter(|other| *other != permission))
}

/// The value of the first field of this name behind a place of the page.
pub fn field(page: &str, behind: &str, name: &str) -> String {
    let (_, form) = page.split_once(behind).unwrap_or_else(|| panic!("{behind}: {page}"));
    let (_, rest) =
        form.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{name}: {page}"));
    let value = rest.split_once('"').unwrap().0;
    value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// The fields of the first form of an action.
pub fn form(page: &str, action: &str, names: &[&'static str]) -> Vec<(&'static str, String)> {
    names.iter().map(|name| (*name, field(page, &format!("action=\"act/{action}\""), name))).collect()
}

pub fn pairs<'f>(fields: &'f [(&'static str, String)]) -> Vec<(&'f str, &'f str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// What is recorded of operators, the newest first: action, actor, code, message, tags.
pub async fn recorded(orchestrator: &Orchestrator) -> Vec<(String, String, String, String, Vec<String>)> {
    use graceful::operations::{ENTITY, OPERATIONS};
    let key = orchestrator.key(OPERATIONS, ENTITY);
    let records = orchestrator.audit().unwrap().records(Some(&key), 100).await.unwrap();
    let one = |record: &graceful::backends::AuditRecord| {
        let actor = record.actor.as_deref().unwrap_or_default().to_owned();
        let tags = record.tags.iter().map(ToString::to_string).collect();
        (record.handler.to_string(), actor, record.code.as_str().to_owned(), record.message.to_string(), tags)
    };
    records.iter().map(one).collect()
}
