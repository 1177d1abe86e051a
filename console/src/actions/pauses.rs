//! Pauses of relays, handlers and subscribers.

use graceful::{
    backends::{Pause as Made, PauseTarget},
    operations,
};

use super::{Action, Done};
use crate::{
    access::Permission,
    page::PageError,
    request::{Query, View},
};

/// The longest name, in bytes: every page shows it.
const MAX_NAME: usize = 1024;

/// The longest reason, in bytes.
const MAX_REASON: usize = 1024;

/// The fields of a target. The relays have no name.
fn fields(form: &mut Query) -> Result<(String, String), PageError> {
    Ok((form.need("kind")?, form.take("name")?.unwrap_or_default()))
}

fn target(kind: &str, name: &str) -> Result<PauseTarget, PageError> {
    if name.len() > MAX_NAME {
        return Err(PageError::invalid(format_args!("the name is longer than {MAX_NAME} bytes")));
    }
    PauseTarget::of(kind, name).ok_or_else(|| {
        PageError::invalid(match kind {
            "relays" => "a pause of the relays has no name: it concerns all of them",
            "handler" => "type the identity of the handler, such as `users::update_user`",
            "subscriber" => "type the name of the subscriber",
            _ => "`kind` is `relays`, `handler` or `subscriber`",
        })
    })
}

/// Pauses a target, for a reason.
#[derive(Debug)]
pub(super) struct Pause {
    target: PauseTarget,
    reason: String,
    environment: Option<String>,
}

impl Action for Pause {
    const NAME: &'static str = "pause";
    const PERMISSION: Permission = Permission::Pause;

    fn parse(form: &mut Query) -> Result<Self, PageError> {
        let ((kind, name), reason) = (fields(form)?, form.take("reason")?.unwrap_or_default());
        let (target, environment) = (target(&kind, name.trim())?, form.take("environment")?);
        match reason.trim() {
            "" => Err(PageError::invalid("type a reason: other operators see it on every page")),
            reason if reason.len() > MAX_REASON => {
                Err(PageError::invalid(format_args!("the reason is longer than {MAX_REASON} bytes")))
            }
            reason => Ok(Self { target, reason: reason.to_owned(), environment }),
        }
    }

    async fn act(self, view: &View) -> Result<Done, PageError> {
        let Self { target, reason, environment } = self;
        view.shared.check_environment(environment.as_deref())?;
        let paused = operations::pause(view.orchestrator(), target.clone(), view.operator(), &reason).await;
        let made = match &paused {
            Ok(true) => None,
            _ => pauses(view).await.and_then(|made| made.into_iter().find(|made| made.target == target)),
        };
        match (paused, made) {
            (Ok(true), _) => Ok(done(format!("Paused: {target}{}", doubt(view, &target).await))),
            (Ok(false), Some(Made { operator, reason, .. })) => {
                Err(PageError::changed(format_args!("{target}: paused already, by {operator}: {reason}")))
            }
            (Ok(false), None) => Err(PageError::changed(format_args!("{target}: paused already"))),
            (Err(error), Some(made)) if made.reason == reason && made.operator == view.access.who() => {
                Err(PageError::unavailable(format_args!("{target}: paused, but {}", error.message())))
            }
            (Err(error), _) => Err(error.into()),
        }
    }
}

/// Ends a pause.
#[derive(Debug)]
pub(super) struct Resume(PauseTarget);

impl Action for Resume {
    const NAME: &'static str = "resume";
    const PERMISSION: Permission = Permission::Pause;

    fn parse(form: &mut Query) -> Result<Self, PageError> {
        let (kind, name) = fields(form)?;
        target(&kind, &name).map(Self)
    }

    async fn act(self, view: &View) -> Result<Done, PageError> {
        let target = self.0;
        let is_paused = async || Some(pauses(view).await?.iter().any(|made| made.target == target));
        let was_paused = is_paused().await;
        match operations::resume(view.orchestrator(), target.clone(), view.operator()).await {
            Ok(true) => Ok(done(format!("Resumed: {target}"))),
            Ok(false) => Err(PageError::changed(format_args!("{target}: not paused any more"))),
            Err(error) => Err(match (was_paused, is_paused().await) {
                (Some(true), Some(false)) => {
                    PageError::unavailable(format_args!("{target}: resumed, but {}", error.message()))
                }
                _ => error.into(),
            }),
        }
    }
}

fn done(notice: String) -> Done {
    Done::show("operations", Vec::new()).notice(notice)
}

/// The pauses, if the store answers.
async fn pauses(view: &View) -> Option<Vec<Made>> {
    view.shared.number(view.operations().ok()?.pauses()).await
}

/// Says if no live relay knows a handler: its name may be wrong.
async fn doubt(view: &View, target: &PauseTarget) -> &'static str {
    let (PauseTarget::Handler(handler), Ok(store)) = (target, view.store()) else { return "" };
    match view.shared.number(store.relays()).await {
        Some(relays) if !relays.is_empty() && !relays.iter().any(|relay| relay.info.knows(handler)) => {
            ". No live relay knows this handler: check the name"
        }
        _ => "",
    }
}
