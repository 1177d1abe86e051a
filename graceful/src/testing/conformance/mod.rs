//! What every store must do, as tests that a store of your own can run, too.
//!
//! Each suite takes a function that makes an empty store, and panics where a promise of the trait is broken.
//!
//! ```
//! use graceful::{backends::memory, testing::conformance};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
//! conformance::cache(async || memory::Cache::new()).await;
//! conformance::flow_store(async || memory::Flows::new(), async |_, time| tokio::time::advance(time).await).await;
//! conformance::metadata_store(async || memory::MetadataStore::new()).await;
//! conformance::scheduler(async || memory::Scheduler::new(), async |_, time| tokio::time::advance(time).await).await;
//! conformance::nexus(async || memory::Nexus::new()).await;
//! conformance::audit_log(async || memory::AuditLog::new()).await;
//! conformance::alerter(async || memory::Alerts::new()).await;
//! conformance::inbox(async || memory::Inbox::new()).await;
//! # });
//! ```

mod alerter;
mod audit;
mod cache;
mod flows;
mod inbox;
mod long_names;
mod metadata;
mod nexus;
mod scheduler;

use std::sync::Arc;

use jiff::Timestamp;

pub use self::{
    alerter::alerter, audit::audit_log, cache::cache, flows::flow_store, inbox::inbox,
    metadata::metadata_store, nexus::nexus, scheduler::scheduler,
};
use crate::{
    Code, Context, Ending, Flow,
    flow::{Declaration, Declared, Identity, Origin},
};

/// A flow of a user that ended at that second, with `Ok` or with an error of that code.
fn flow(id: &str, code: Code, second: i64) -> Arc<Flow> {
    let origin = Origin { service: "users".into(), environment: "test".into() };
    let declaration = Declaration { pattern: "user".into(), ..Declaration::default() };
    let mut flow = Flow::begin(Declared::Owned(declaration.into()), Arc::new(origin));
    flow.values.id = Some(id.into());
    flow.values.named_at_entry = true;
    (flow.code, flow.message) = (code, code.name().into());
    flow.end(if code == Code::Ok { Ending::Ok } else { Ending::Err });
    flow.at = at(second);
    Arc::new(flow)
}

/// A call that names no entity, with the correlation id that its client gave.
fn call(correlation: &str, second: i64) -> Arc<Flow> {
    let mut flow = flow("", Code::Ok, second);
    let own = Arc::make_mut(&mut flow);
    (own.values.id, own.values.named_at_entry) = (None, false);
    own.context = Some(Arc::new(Context::new().with_correlation_id(correlation)));
    flow
}

/// The same flow of a handler.
fn by(handler: &'static str, mut flow: Arc<Flow>) -> Arc<Flow> {
    let own = Arc::make_mut(&mut flow);
    let identity = Identity::Name(handler.into());
    own.declaration = Declared::Owned(Arc::new(Declaration { identity, ..(*own.declaration).clone() }));
    flow
}

fn at(second: i64) -> Timestamp {
    Timestamp::constant(second, 0)
}
