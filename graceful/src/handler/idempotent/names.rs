//! What an idempotent handler names before its body runs: key, scope and request.

use super::{
    super::{HandlerSpec, Named, Value},
    NamesCall,
};
use crate::{
    context::Context,
    flow::{CanonicalRequest, IdempotentCall, RequestHash},
    key::{Key, KeySpace, encoded},
    pipeline::Orchestrator,
    step::{StepError, StepErrorKind, contain},
    text::{Text, text},
};

/// Evaluates the names of a call.
pub(super) type Names<'a> = &'a mut dyn FnMut(&mut CallNames);

/// The key, the scope and the request of one call.
#[derive(Debug, Default)]
pub struct CallNames {
    key: Option<Text>,
    scope: Option<Text>,
    actor: Option<Text>,
    request: Option<CanonicalRequest>,
    skipped: bool,
    /// Why the call cannot run.
    fault: Option<Text>,
}

impl CallNames {
    /// Evaluates the expressions. If one panics, the call is refused: it might have been one that has run before.
    pub(super) fn filled(fill: Names<'_>) -> Self {
        let mut names = Self::default();
        if let Err(error) = contain(|| fill(&mut names)) {
            names.fault = Some(text!("an expression of `idempotent` {}", error.message()));
        }
        names
    }

    pub fn when(&mut self, when: bool) {
        self.skipped = !when;
    }

    pub fn key<T: NamesCall + ?Sized>(&mut self, key: &T) {
        self.key = Some(text!("{key}"));
    }

    pub fn scope<T: NamesCall + ?Sized>(&mut self, scope: &T) {
        self.scope = Some(text!("{scope}"));
    }

    pub fn actor<T: Named + ?Sized>(&mut self, actor: &T) {
        self.actor = Some(text!("{actor}")).filter(|actor| !actor.is_empty());
    }

    /// It is evaluated after the key: a call without one is plain, whatever its request is.
    pub fn request<T: Value + ?Sized>(&mut self, request: &T) {
        if self.key.is_none() {
            return;
        }
        match CanonicalRequest::of(request) {
            Ok(request) => self.request = Some(request),
            Err(error) => {
                self.fault = Some(text!("the request of `idempotent` cannot be serialised: {error}"));
            }
        }
    }

    /// Whether the call is as that of a handler that is not idempotent: `when` is false, or there is no key.
    pub(super) const fn is_plain(&self) -> bool {
        self.skipped || self.key.is_none() && self.fault.is_none()
    }

    /// The request, with which that of the first call is compared.
    pub(super) const fn known_request(&self) -> Option<&CanonicalRequest> {
        self.request.as_ref()
    }

    /// The call by the names of its key: under the handler's identity, and under each former one.
    ///
    /// # Errors
    /// The call cannot run.
    pub(super) fn call(
        &self,
        orchestrator: &Orchestrator,
        spec: &HandlerSpec,
    ) -> Result<IdempotentCall, StepError> {
        if let Some(fault) = &self.fault {
            return Err(StepError::of_kind(StepErrorKind::Argument, fault.clone()));
        }
        let Some(key) = self.key.as_deref().filter(|key| !key.is_empty()) else {
            return Err(StepError::of_kind(StepErrorKind::InvalidKey, "the idempotency key is empty"));
        };
        let context = Context::try_current();
        let scope = match self.whose(context.as_deref()) {
            None if self.request.is_none() => {
                return Err(StepError::of_kind(StepErrorKind::Unscoped, NO_SCOPE));
            }
            scope => scope.unwrap_or_default(),
        };
        let tenant = context.as_ref().and_then(|context| context.tenant.as_deref());
        let id = text!("{}/{}", encoded(&scope), encoded(key));
        let of = |identity: Text| Key::new(&orchestrator.origin().service, tenant, identity, &id);
        let names = spec.identities().map(|identity| of(identity).in_space(KeySpace::Idempotent).to_string());
        let request = self.request.as_ref().map(RequestHash::of).transpose()?;
        Ok(IdempotentCall::new(names, token()?, request))
    }
}

impl CallNames {
    /// Whose key it is: as declared, otherwise the actor and the user of the context. Each kind has a letter of its own, so that an actor is not
    /// a user of the same name.
    fn whose(&self, context: Option<&Context>) -> Option<Text> {
        let known = |name: &Option<Text>| name.clone().filter(|name| !name.is_empty());
        if let Some(scope) = known(&self.scope) {
            return Some(text!("s{}", encoded(&scope)));
        }
        if let Some(actor) = &self.actor {
            return Some(text!("a{}", encoded(actor)));
        }
        let context = context?;
        match (known(&context.actor), known(&context.user)) {
            (None, None) => None,
            (actor, user) => {
                let (actor, user) = (actor.unwrap_or_default(), user.unwrap_or_default());
                Some(text!("c{}/{}", encoded(&actor), encoded(&user)))
            }
        }
    }
}

/// A token that no other call has, in this process or another.
fn token() -> Result<uuid::Uuid, StepError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(StepError::caused_by)?;
    Ok(uuid::Builder::from_random_bytes(random).into_uuid())
}

const NO_SCOPE: &str = "an idempotent call needs an actor, because otherwise anybody who guesses its key would get its answer: set the actor or the \
                        user of the `Context`, or declare `actor` or `idempotent(key = …, scope = …)`";
