//! One request, and what its sender may see.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use graceful::{
    Orchestrator, StepError,
    backends::{FlowFilter, FlowStore, Operation, Operations, Uuid},
    operations::Operator,
};
use http::request::Parts;

use super::{FormToken, base};
use crate::{
    Shared,
    access::{Access, Permission},
    page::{PageError, refused},
};

/// How many flows of an operation are compared with the access.
const LIST: u64 = 100;

/// One request: who has sent it, and where the console is.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) shared: Arc<Shared>,
    pub(crate) access: Access,
    /// The path of the first page, with a slash at both ends.
    pub(crate) base: String,
    /// The request, to ask for the access again.
    pub(crate) parts: Parts,
}

/// Asks for the access of each request, and refuses it or passes it on with its [`View`].
pub(crate) async fn gate(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let base = base(&parts, &shared.at, shared.public_path.as_deref());
    let access = shared.gate.ask(parts.clone()).await;
    if let Some(refusal) = access.refusal() {
        return refused(&parts, &shared.at, refusal);
    }
    let view = View { shared, access, base, parts: parts.clone() };
    parts.extensions.insert(view);
    next.run(Request::from_parts(parts, body)).await
}

impl View {
    pub(crate) fn orchestrator(&self) -> &Orchestrator {
        &self.shared.orchestrator
    }

    pub(crate) fn store(&self) -> Result<&Arc<dyn FlowStore>, PageError> {
        self.orchestrator().flows().ok_or_else(|| {
            PageError::not_found("this service has no durable flows: give its orchestrator a store of flows")
        })
    }

    /// An operation, if it may be seen.
    pub(crate) async fn operation(&self, id: Uuid) -> Result<Operation, PageError> {
        let operations = self.operations()?;
        let found = operations.operation(id).await?;
        let gone = || PageError::not_found(format_args!("there is no operation {id}"));
        let operation = found.ok_or_else(gone)?;
        match self.may_see_operation(&operation) && self.may_see_flows_of(&operation).await? {
            true => Ok(operation),
            false => Err(gone()),
        }
    }

    /// Whether the flows of an operation may be shown: the access may have been reduced since it was prepared. A long list is that of a filter, which
    /// then names one of the tenants.
    async fn may_see_flows_of(&self, operation: &Operation) -> Result<bool, PageError> {
        let Some(only) = self.access.only_tenants() else { return Ok(true) };
        let is_named = |word: &str| word.strip_prefix("tenant=").is_some_and(|tenant| only.contains(tenant));
        if operation.selected > LIST && !operation.selection.split(' ').any(is_named) {
            return Ok(false);
        }
        let limit = usize::try_from(LIST).unwrap_or(usize::MAX);
        for item in self.operations()?.items(operation.id, None, None, limit).await?.items {
            let found = self.store()?.get(item.flow).await?;
            if found.is_some_and(|stored| !self.may_see(&stored.summary.entity)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether an operation may be shown. Its flows can be of any tenant, so with access to some tenants operators see their own operations only.
    pub(crate) fn may_see_operation(&self, operation: &Operation) -> bool {
        let access = &self.access;
        access.is_unrestricted()
            || (operation.operator == access.who() && operation.verified == access.is_verified())
    }

    pub(crate) fn operations(&self) -> Result<&dyn Operations, PageError> {
        self.store()?.operations().ok_or_else(|| PageError::not_found("this store has no operations"))
    }

    pub(crate) fn operator(&self) -> Operator<'_> {
        match self.access.is_verified() {
            true => Operator::verified(self.access.who()),
            false => Operator::from(self.access.who()),
        }
    }

    /// The token of the page's forms; `None` if nothing can be changed.
    pub(crate) async fn token(&self) -> Option<String> {
        if Permission::ALL.iter().all(|permission| !self.access.may(*permission)) || self.is_read_only().await
        {
            return None;
        }
        let token = FormToken::make(&self.shared.key, self.orchestrator(), self.access.who());
        self.shared.number(async { Ok(token.await) }).await.flatten()
    }

    /// Whether the store can only be read.
    pub(crate) async fn is_read_only(&self) -> bool {
        match self.orchestrator().flows() {
            Some(store) => self.shared.number(store.is_read_only()).await.unwrap_or(true),
            None => false,
        }
    }

    /// The page concerns all tenants.
    pub(crate) fn needs_all_tenants(&self) -> Result<(), PageError> {
        match self.access.is_unrestricted() {
            true => Ok(()),
            false => Err(PageError::forbidden("this page shows the data of all tenants")),
        }
    }

    /// The tenant to show: with access to some tenants only, it must be one of them. If none is named, it is that of the entity which the page is
    /// about, otherwise the first one.
    pub(crate) fn tenant(
        &self,
        named: Option<String>,
        entity: Option<&str>,
    ) -> Result<Option<String>, PageError> {
        let Some(only) = self.access.only_tenants() else { return Ok(named) };
        let shown = match (named, entity) {
            (Some(named), _) => Some(named).filter(|named| only.contains(named)),
            (None, Some(entity)) => only.iter().find(|tenant| is_of(entity, tenant)).cloned(),
            (None, None) => only.first().cloned(),
        };
        shown.map(Some).ok_or_else(|| PageError::forbidden("you have no access to this tenant"))
    }

    /// Restricts a filter of flows to what may be shown.
    pub(crate) fn restricted(&self, mut filter: FlowFilter) -> Result<FlowFilter, PageError> {
        filter.tenant = self.tenant(filter.tenant, filter.entity.as_deref())?;
        Ok(filter)
    }

    /// Whether the data of an entity may be shown, by the entity's full name.
    pub(crate) fn may_see(&self, entity: &str) -> bool {
        self.access.only_tenants().is_none_or(|only| only.iter().any(|tenant| is_of(entity, tenant)))
    }

    /// The data of an entity, or the answer for one that does not exist.
    pub(crate) fn check_entity(&self, entity: &str) -> Result<(), PageError> {
        if self.may_see(entity) { Ok(()) } else { Err(PageError::not_found("there is no such entity")) }
    }
}

/// Whether an entity belongs to a tenant, by the entity's full name.
fn is_of(entity: &str, tenant: &str) -> bool {
    let mut filter = FlowFilter::default();
    filter.tenant = Some(tenant.to_owned());
    entity.split(':').nth(1) == filter.tenant_part().as_deref()
}

impl From<StepError> for PageError {
    fn from(error: StepError) -> Self {
        Self::unavailable(error.message())
    }
}
