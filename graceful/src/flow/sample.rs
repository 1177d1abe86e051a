//! Flows that have ended, for tests of backends.

use std::sync::Arc;

use jiff::Timestamp;

use super::{CallOutcome, Declaration, Declared, Event, Flow, Identity, Origin, Payload};
use crate::{code::Code, context::Context, text::Text};

/// A flow of the pattern `user`, of the service `users`, that has ended.
#[derive(Clone, Debug)]
pub struct Sample(Flow);

impl Sample {
    /// Starts the flow of a user that ended at the given second, with `Ok` or with an error of the given code.
    pub fn new(id: &str, code: Code, second: i64) -> Self {
        let origin = Origin { service: "users".into(), environment: "test".into() };
        let declaration = Declaration { pattern: "user".into(), ..Declaration::default() };
        let mut flow = Flow::begin(Declared::Owned(declaration.into()), Arc::new(origin));
        flow.values.id = Some(id.into());
        flow.values.named_at_entry = true;
        (flow.code, flow.message) = (code, code.as_str().into());
        flow.end(if code == Code::Ok { CallOutcome::Ok } else { CallOutcome::Err });
        flow.at = Timestamp::constant(second, 0);
        Self(flow)
    }

    /// Makes it a call without an entity, with this correlation id of its client.
    #[must_use]
    pub fn without_entity(mut self, correlation: &str) -> Self {
        (self.0.values.id, self.0.values.named_at_entry) = (None, false);
        self.0.context = Some(Arc::new(Context::new().correlation_id(correlation)));
        self
    }

    /// Sets the context of the call.
    #[must_use]
    pub fn context(mut self, context: Context) -> Self {
        self.0.context = Some(Arc::new(context));
        self
    }

    /// Sets the service.
    #[must_use]
    pub fn service(mut self, name: impl Into<Text>) -> Self {
        self.0.origin = Arc::new(Origin { service: name.into(), environment: "test".into() });
        self
    }

    /// Sets the handler.
    #[must_use]
    pub fn handler(self, name: impl Into<Text>) -> Self {
        let name = name.into();
        self.declared(|declaration| declaration.identity = Identity::Name(name))
    }

    /// Sets the pattern.
    #[must_use]
    pub fn pattern(self, name: impl Into<Text>) -> Self {
        let name = name.into();
        self.declared(|declaration| declaration.pattern = name)
    }

    /// Sets the payload, and whether audit records contain it.
    #[must_use]
    pub fn payload(mut self, payload: Payload, is_audited: bool) -> Self {
        self.0.values.payload = payload;
        self.declared(|declaration| declaration.options.audit_payload = is_audited)
    }

    /// The event of this name, which the flow emits.
    pub fn event(self, name: impl Into<Text>) -> Event {
        let name = name.into();
        let failed = Text::from(format_args!("{name}.failed"));
        let declared = self.declared(|declaration| (declaration.event, declaration.failed) = (name, failed));
        Event(declared.flow())
    }

    fn declared(mut self, change: impl FnOnce(&mut Declaration)) -> Self {
        let mut declaration = Declaration::clone(&self.0.declaration);
        change(&mut declaration);
        self.0.declaration = Declared::Owned(Arc::new(declaration));
        self
    }

    /// The flow.
    pub fn flow(self) -> Arc<Flow> {
        Arc::new(self.0)
    }
}
