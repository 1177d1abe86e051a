//! `graceful-console` is a crate with a web console for operators: it shows entities and handlers, both arms side by side, and acts on them.
//!
//! ```
//! use graceful::Orchestrator;
//! use graceful_console::{Console, access::{Permission, loopback}};
//!
//! let orchestrator = Orchestrator::in_memory();
//! let console = Console::new(&orchestrator, loopback(Permission::ALL)).at("/ops");
//! let app: axum::Router = axum::Router::new().merge(console.router());
//! ```
//!
//! The console is a router of [`axum`]. Its pages are HTML that works without JavaScript; one script adds live numbers and shortcuts. It shows what
//! the backends of the orchestrator store, so one console shows the flows of all processes that share the store.
//!
//! # Access
//!
//! There is no default: [`Console::new`] takes a function that says for each request what its sender may see and do, as an
//! [`Access`]. The module [`access`] has functions for basic authentication and for the same machine.
//!
//! # Security
//!
//! A request that changes something is a `POST` with a token, which is bound to the operator's name. The key of the tokens is in the durable store,
//! so that a form from one process can be sent to another. A request that a page of another site sends is refused. Pages run only the console's own
//! script, cannot be put into frames, and are not stored by browsers. Payloads are not shown; to reveal one is an action of its own, which is
//! recorded in the audit log like every other action.

pub mod access;
mod actions;
mod assets;
mod live;
pub mod measurements;
mod page;
mod pages;
mod request;
mod settings;

use std::{future::Future, sync::Arc};

use axum::{Router, middleware, routing::get};
use graceful::{Orchestrator, axum::health_routes};
use http::{StatusCode, request::Parts};

pub(crate) use self::settings::Shared;
pub use self::settings::{Accent, Console};
use self::{
    access::{Access, Gate},
    page::{API, problem},
};

impl Console {
    /// Creates a console of what this orchestrator's backends store. `access` says what the sender of a request may see and do.
    ///
    /// The console acts by the orchestrator, but its routes do not install it. It starts no task until a page is shown.
    ///
    /// ```
    /// use graceful::Orchestrator;
    /// use graceful_console::{Console, access::Access};
    ///
    /// // Whoever reaches the port may read.
    /// let console = Console::new(&Orchestrator::in_memory(), async |_| Access::read("anybody"));
    /// # drop(console);
    /// ```
    pub fn new<F, Fut>(orchestrator: &Orchestrator, access: F) -> Self
    where
        F: Fn(Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Access> + Send + 'static,
    {
        Self::of(orchestrator, Gate::new(access))
    }

    /// The routes: merge them into the application's router. They are below the path of [`at`](Self::at).
    ///
    /// A router that was not given a path can also be nested; then its first page has no final slash.
    ///
    /// ```
    /// # use graceful::Orchestrator;
    /// # use graceful_console::{Console, access::Access};
    /// # let orchestrator = Orchestrator::in_memory();
    /// let console = Console::new(&orchestrator, async |_| Access::read("anybody"));
    /// let app: axum::Router = axum::Router::new().nest("/a/b", console.router());
    /// ```
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let shared = Arc::new(self.shared);
        let at = shared.at.clone();
        let health = health_routes(&shared.orchestrator);
        let health = match at.as_str() {
            "" => Router::new().nest("/health", health),
            at => Router::new().nest(&format!("{at}/health"), health),
        };
        let unknown = get(async || problem(StatusCode::NOT_FOUND, "there is no such page of the API"));
        let gated = live::routes(actions::routes(pages::routes(Router::new(), &at), &at), &at)
            .route(&format!("{at}{API}/{{*rest}}"), unknown)
            .layer(middleware::from_fn_with_state(Arc::clone(&shared), request::gate));
        gated
            .merge(assets::routes(&at))
            .merge(health)
            .layer(middleware::from_fn(request::secured))
            .with_state(shared)
    }
}
