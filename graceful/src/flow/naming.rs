//! The names of a flow: its entity, its incident, its cached value.

use std::sync::Arc;

use super::{Argument, Declaration, Declared, Flow, Incident};
use crate::{
    key::{Key, KeySpace},
    text::Text,
};

/// The entity's key, made once for all steps. It is not cloned with the flow, because the copy may get another name.
#[derive(Debug, Default)]
pub(crate) struct Named(Option<Key>);

impl Clone for Named {
    fn clone(&self) -> Self {
        Self(None)
    }
}

impl Flow {
    /// The entity's id: the argument `id`, otherwise the cache key. For a call without an entity it is the correlation id, in
    /// a [key space](crate::backends::KeySpace::Call) of its own: see [`has_entity`](Self::has_entity).
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").id(42);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().entity_id(), "42");
    /// # });
    /// ```
    pub fn entity_id(&self) -> Text {
        self.values.entity().cloned().unwrap_or_else(|| self.correlation_id())
    }

    /// Whether the call belongs to an entity, i.e. has an argument `id` or a cache key. Otherwise it is recorded under its
    /// correlation id, is not part of any entity's metadata, and its event has no subject.
    ///
    /// ```
    /// # use graceful::{Code, Context, OrchestrationConfig, Orchestrator, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let orchestrator = Orchestrator::in_memory();
    /// let config = OrchestrationConfig::new("user").on(&orchestrator);
    /// let call = Context::new().correlation_id("42");
    /// let report = call.scope(async { Success::wrap(Code::Ok, "users listed", "").orchestrate(&config).await }).await;
    /// assert!(!report.flow().has_entity());
    /// assert_ne!(report.flow().entity(), orchestrator.key("user", 42));
    /// # });
    /// ```
    pub fn has_entity(&self) -> bool {
        self.values.entity().is_some()
    }

    /// The entity's full name; for a call without an entity, that of the call.
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Orchestrator, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let orchestrator = Orchestrator::builder().service("users").build().unwrap();
    /// let config = OrchestrationConfig::new("user").id(42).on(&orchestrator);
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().entity(), orchestrator.key("user", 42));
    /// # });
    /// ```
    pub fn entity(&self) -> Key {
        self.named.0.clone().unwrap_or_else(|| self.entity_key())
    }

    /// Makes the entity's key once, before the steps use it.
    pub(crate) fn remember_entity(&mut self) {
        self.named = Named(Some(self.entity_key()));
    }

    fn entity_key(&self) -> Key {
        match self.values.entity() {
            Some(id) => self.key(id),
            None => self.key(&self.correlation_id()).in_space(KeySpace::Call),
        }
    }

    /// The incident of the flow's review job and alert: the handler, and the entity if its name is known before the body runs.
    /// Otherwise it is the handler alone, so that the next success can close what a failure has opened.
    ///
    /// ```
    /// # use graceful::{Code, Failure, OrchestrationConfig};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").handler("update_user").id(42);
    /// let report = Failure::wrap(Code::Internal, "something failed", "disk full").orchestrate(&config).await;
    /// let incident = report.flow().incident();
    /// assert_eq!((incident.entity().id(), &**incident.owner()), ("42", "update_user"));
    /// # });
    /// ```
    pub fn incident(&self) -> Incident {
        let Declaration { handler, identity, incident, .. } = &*self.declaration;
        let entity = match self.values.named_at_entry {
            true => self.entity(),
            // The empty id is not that of any call, because a correlation id is never empty.
            false => self.key("").in_space(KeySpace::Call),
        };
        let owner = if incident.is_empty() { identity.name() } else { incident.clone() };
        Incident::new(entity, if owner.is_empty() { handler.clone() } else { owner })
    }

    /// The flow as the handler's under each of its former identities, so that it closes their incidents. None for a shared incident, which
    /// survives a renaming.
    pub(crate) fn under_former_identities(&self) -> Vec<Arc<Self>> {
        let declaration = &*self.declaration;
        let was = declaration.was.iter().filter(|_| declaration.incident.is_empty());
        was.map(|was| {
            let declaration = Declaration { incident: was.into(), ..declaration.clone() };
            Arc::new(Self { declaration: Declared::Owned(Arc::new(declaration)), ..self.clone() })
        })
        .collect()
    }

    /// The key under which a [`Nexus`](crate::backends::Nexus) lists the flow: that of the entity. All calls of a pattern without an entity
    /// share one list, so that the number of lists is bounded.
    pub fn nexus_key(&self) -> Key {
        if self.has_entity() { self.entity() } else { self.key("").in_space(KeySpace::Call) }
    }

    /// The key of the cached value, if the handler declares one.
    ///
    /// ```
    /// # use graceful::{Code, OrchestrationConfig, Success};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let config = OrchestrationConfig::new("user").id(42).cache_key("42/name");
    /// let report = Success::wrap(Code::Ok, "user updated", "ada").orchestrate(&config).await;
    /// assert_eq!(report.flow().cache_key().unwrap().id(), "42/name");
    /// # });
    /// ```
    pub fn cache_key(&self) -> Option<Key> {
        let id = self.values.cache_key.as_ref()?;
        // Without an argument `id` the cache key names the entity.
        let is_entity = self.values.id.is_none() && !self.values.faults.has(Argument::Id);
        Some(if is_entity { self.entity() } else { self.key(id) })
    }

    pub(crate) fn last_good_key(&self) -> Option<Key> {
        self.cache_key().map(|key| key.in_space(KeySpace::LastGood))
    }

    /// The additional relation of a success; `None` if `to` is declared but has no value.
    pub(crate) fn relation(&self) -> Option<&Text> {
        let relation = Some(&self.declaration.relation).filter(|relation| !relation.is_empty())?;
        let is_half = self.values.faults.has(Argument::GraphTo);
        (self.is_success() && !is_half).then_some(relation)
    }

    /// The entity that `graph(to = …)` names, on success.
    pub(crate) fn related(&self) -> Option<Key> {
        let id = self.values.graph_to.as_ref().filter(|_| self.is_success())?;
        Some(self.key_of(&self.declaration.to_pattern, id))
    }

    fn key(&self, id: &str) -> Key {
        self.key_of(&self.declaration.pattern, id)
    }

    pub(crate) fn key_of(&self, pattern: &str, id: &str) -> Key {
        Key::of_parts([&self.origin.service, self.tenant(), pattern, id])
    }

    /// The key of all entities of a pattern.
    pub(crate) fn key_of_pattern(&self, pattern: &str) -> Key {
        self.key_of(pattern, "").of_pattern()
    }
}
