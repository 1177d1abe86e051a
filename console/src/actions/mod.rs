//! The actions, each a type with the permission that it needs.

mod alerts;
mod audit;
mod cache;
mod flows;
mod incident;
mod jobs;
mod pauses;
mod payload;
mod recorded;
mod sparql;

use std::{future::Future, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Body,
    response::{IntoResponse, Response},
    routing::post,
};
use graceful::Orchestrator;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use maud::Markup;

pub(crate) use self::{
    cache::seen_entry,
    flows::seen_field,
    incident::{incident_fields, key_field, seen_alert, seen_job},
    sparql::sparql_form,
};
use crate::{
    Shared,
    access::Permission,
    page::{Frame, PageError, html},
    request::{FormToken, Query, Signed, View, check_origin, link_to},
};

/// The largest form.
const MAX_FORM: usize = 64 * 1024;

/// How long a form may take to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);

/// Something that an operator does. Its fields are those of its form.
pub(crate) trait Action: Sized + Send + 'static {
    /// The path below `act/`.
    const NAME: &'static str;
    const PERMISSION: Permission;

    fn parse(form: &mut Query) -> Result<Self, PageError>;

    fn act(self, view: &View) -> impl Future<Output = Result<Done, PageError>> + Send;
}

/// What an action has done, and which page shows it.
pub(crate) struct Done {
    page: &'static str,
    query: Vec<(&'static str, String)>,
    notice: Option<String>,
    answer: Option<Answer>,
}

/// The content of an action's own page, which is not stored, and its title.
type Answer = (&'static str, Box<dyn FnOnce(&Frame<'_>) -> Markup + Send>);

impl Done {
    pub(crate) const fn show(page: &'static str, query: Vec<(&'static str, String)>) -> Self {
        Self { page, query, notice: None, answer: None }
    }

    /// Answers with a page of its own instead of a redirection, for what no other page can show. `page` is where it belongs to.
    pub(crate) fn answer(
        page: &'static str,
        title: &'static str,
        content: impl FnOnce(&Frame<'_>) -> Markup + Send + 'static,
    ) -> Self {
        Self { answer: Some((title, Box::new(content))), ..Self::show(page, Vec::new()) }
    }

    pub(crate) fn notice(mut self, text: impl Into<String>) -> Self {
        self.notice = Some(text.into());
        self
    }
}

macro_rules! actions {
    ($($action:ty),* $(,)?) => {
        /// The routes of all actions.
        pub(crate) fn routes(router: Router<Arc<Shared>>, at: &str) -> Router<Arc<Shared>> {
            router$(.route(&format!("{at}/act/{}", <$action as Action>::NAME), post(send::<$action>)))*
        }

        /// Each action with its permission.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, Permission)] =
            &[$((<$action as Action>::NAME, <$action as Action>::PERMISSION)),*];
    };
}

actions![
    flows::PrepareResubmit,
    flows::PrepareDiscard,
    flows::PreparePostpone,
    flows::RunResubmit,
    flows::RunDiscard,
    flows::RunPostpone,
    flows::CancelResubmit,
    flows::CancelDiscard,
    flows::CancelPostpone,
    pauses::Pause,
    pauses::Resume,
    jobs::CompleteJob,
    jobs::PostponeJob,
    alerts::ResolveAlert,
    cache::DropCache,
    audit::VerifyChain,
    payload::Reveal,
    sparql::Sparql,
];

async fn send<A: Action>(Extension(view): Extension<View>, headers: HeaderMap, body: Body) -> Response {
    match acted::<A>(&view, &headers, body).await {
        Ok(Done { page, answer: Some((title, content)), .. }) => {
            let frame = Frame::new(&view, None).await;
            let content = content(&frame);
            html(frame.whole(page, title, "", &content))
        }
        Ok(done) => redirect(&view, done).await,
        Err(error) => error.page(&view).await,
    }
}

/// An action runs to its end, with its audit record, even if the client has closed the connection.
async fn acted<A: Action>(view: &View, headers: &HeaderMap, body: Body) -> Result<Done, PageError> {
    let (action, view) = (checked::<A>(view, headers, body).await?, view.clone());
    let acting = Orchestrator::spawn(async move { action.act(&view).await });
    acting.await.unwrap_or_else(|_| Err(PageError::unavailable("the action has panicked: see the log")))
}

/// The one place where the permission, the sender and the token of an action are checked.
async fn checked<A: Action>(view: &View, headers: &HeaderMap, body: Body) -> Result<A, PageError> {
    check_origin(headers)?;
    if !view.access.may(A::PERMISSION) {
        return Err(PageError::forbidden(format_args!("you need the permission `{}`", A::PERMISSION)));
    }
    let body = tokio::time::timeout(ARRIVES_WITHIN, Limited::new(body, MAX_FORM).collect()).await;
    let body = body
        .ok()
        .and_then(Result::ok)
        .ok_or_else(|| PageError::invalid("the form is too long, or did not arrive"))?;
    let mut form = Query::parse(&body.to_bytes());
    if view.is_read_only().await {
        return Err(PageError::unavailable("the store can only be read"));
    }
    let token = form.need("token")?;
    FormToken::check(&view.shared.key, view.orchestrator(), view.access.who(), &token).await?;
    let action = A::parse(&mut form)?;
    form.end()?;
    Ok(action)
}

async fn redirect(view: &View, done: Done) -> Response {
    let mut query = done.query;
    if let Some(notice) = done.notice {
        let signed =
            view.shared.key.sign(view.orchestrator(), Signed::Notice, view.access.who(), &notice).await;
        if let Some(signature) = signed {
            query.extend([("notice", notice), ("signature", signature)]);
        }
    }
    let target = format!("{}{}", view.base, link_to(done.page, query).trim_start_matches("./"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, target)]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_tried_with_every_permission() {
        let tests = include_str!("../../tests/console/security.rs");
        for (name, permission) in ALL {
            assert!(tests.contains(&format!("(\"{name}\", Permission::{permission:?},")), "{name}");
        }
    }
}
