//! Actions as orchestrated handlers: each lands in the audit log, with the operator as its actor, whether it succeeds or fails.

use std::{borrow::Cow, fmt, future::Future};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use graceful::{
    Classify, Code, Context, Orchestrator,
    backends::{AuditFilter, AuditQuery, random_secret},
    operations::{ENTITY, OPERATIONS},
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{page::PageError, request::View};

/// What an operator does, for the audit record.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Deed {
    /// What is done to what, as a sentence without its subject.
    what: String,
    /// The entity or flow, and what else is to be known of it.
    #[serde(flatten)]
    details: Map<String, Value>,
}

impl Deed {
    pub(crate) fn new(what: impl fmt::Display) -> Self {
        Self { what: what.to_string(), details: Map::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

/// What was done, and its result, which is not recorded.
#[derive(Debug)]
struct DeedDone<T> {
    deed: Deed,
    result: T,
}

/// What was not done, and why.
#[derive(Debug)]
struct DeedFailed {
    what: String,
    error: PageError,
}

impl Classify for DeedFailed {
    fn code(&self) -> Code {
        self.error.code()
    }

    fn message(&self) -> Cow<'_, str> {
        Cow::Owned(format!("{}: {}", self.what, self.error))
    }
}

impl fmt::Display for DeedFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for DeedFailed {}

/// The operator whose deeds are recorded.
#[derive(Clone, Copy, Debug)]
struct Verified<'a> {
    orchestrator: &'a Orchestrator,
    who: &'a str,
}

/// An operator whose name nobody has verified: the tags of a handler are fixed, so its handlers are others.
#[derive(Clone, Copy, Debug)]
struct Unverified<'a> {
    orchestrator: &'a Orchestrator,
    who: &'a str,
}

async fn done<T>(
    deed: Deed,
    work: impl Future<Output = Result<T, PageError>>,
) -> Result<DeedDone<T>, DeedFailed> {
    match work.await {
        Ok(result) => Ok(DeedDone { deed, result }),
        Err(error) => Err(DeedFailed { what: deed.what, error }),
    }
}

/// The context of the request. The records of operators belong to no tenant, whatever the application's routes say.
fn context() -> Context {
    let mut context = (*Context::current()).clone();
    (context.tenant, context.user, context.actor) = (None, None, None);
    context
}

/// How many of the last records are looked through for that of an action.
const LAST: usize = 50;

/// Checks that the audit log, if there is one, has the record of an action.
async fn check(view: &View, request: &str, what: &str) -> Result<(), PageError> {
    let Some(log) = view.orchestrator().audit() else { return Ok(()) };
    let mut filter = AuditFilter::default();
    filter.entity = Some(view.shared.operators());
    let records = log.query(AuditQuery::new(filter, LAST)).await.map(|page| page.items).unwrap_or_default();
    let is_recorded = records
        .iter()
        .filter_map(|record| record.payload.as_ref())
        .any(|payload| payload.decode::<Value>().is_ok_and(|deed| deed["request"] == request));
    match is_recorded {
        true => Ok(()),
        false => Err(PageError::unavailable(format_args!(
            "{what}: it was done, but the audit log has no record of it"
        ))),
    }
}

macro_rules! kinds {
    ($($kind:ident $method:ident;)*) => {
        /// The kinds of deeds, each a handler.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kind {
            $($kind,)*
        }

        impl Verified<'_> {
            $(kinds!(@ $method ["operator"]);)*
        }

        impl Unverified<'_> {
            $(kinds!(@ $method ["operator", "unverified"]);)*
        }

        /// Does something as a handler of the orchestrator. What it was, or its error, is recorded with the operator's name.
        pub(crate) async fn recorded<T>(
            view: &View,
            kind: Kind,
            deed: Deed,
            work: impl Future<Output = Result<T, PageError>> + Send,
        ) -> Result<T, PageError>
        where
            T: Send,
        {
            let (orchestrator, who) = (view.orchestrator(), view.access.who());
            let (request, what) = (BASE64_URL_SAFE_NO_PAD.encode(random_secret()?), deed.what.clone());
            let deed = deed.with("request", &*request);
            let work = async {
                match (kind, view.access.is_verified()) {
                    $(
                        (Kind::$kind, true) => Verified { orchestrator, who }.$method(deed, work).await,
                        (Kind::$kind, false) => Unverified { orchestrator, who }.$method(deed, work).await,
                    )*
                }
            };
            match context().scope(work).await {
                Ok(done) => check(view, &request, &what).await.map(|()| done.result),
                Err(failed) => Err(failed.error),
            }
        }
    };
    (@ $method:ident [$($tag:tt),*]) => {
        #[graceful::orchestrate(
            catalogue = off,
            on = self.orchestrator,
            pattern = OPERATIONS,
            id = ENTITY,
            actor = self.who,
            payload = result.deed,
            message = "{result.deed.what}",
            audit(payload),
            tags = [$($tag),*],
            metadata = off,
            graph = off,
            schedule = off,
            nexus = off,
            alert = off,
            errors = off
        )]
        async fn $method<T: Send>(
            self,
            deed: Deed,
            work: impl Future<Output = Result<T, PageError>> + Send,
        ) -> Result<DeedDone<T>, DeedFailed> {
            done(deed, work).await
        }
    };
}

kinds! {
    CompleteJob complete_job;
    PostponeJob postpone_job;
    ResolveAlert resolve_alert;
    DropCache drop_cache;
    VerifyChain verify_chain;
    Reveal reveal_payload;
    Sparql sparql;
}
