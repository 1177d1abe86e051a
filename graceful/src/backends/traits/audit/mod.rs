//! The trait of audit logs, their records and their queries.

mod check;
mod query;
mod record;

use std::{fmt::Debug, sync::Arc};

pub use self::{
    check::RecordCheck,
    query::{AuditCursor, AuditFilter, AuditQuery},
    record::AuditRecord,
};
use super::Page;
use crate::{backends::Reply, flow::Flow, key::Key, step::StepError};

/// Stores the audit records of flows.
///
/// A log contains [`AuditRecord`]s, and no other data of a flow.
///
/// ```
/// use std::sync::Arc;
///
/// use graceful::{
///     Code, Flow, OrchestrationConfig, Orchestrator, Success,
///     backends::{AuditCursor, AuditLog, AuditQuery, AuditRecord, Page, Reply},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// /// Writes records to the standard output, and reads none.
/// #[derive(Debug)]
/// struct Print;
///
/// impl AuditLog for Print {
///     fn append(&self, flow: &Arc<Flow>) -> Reply<()> {
///         println!("{} {} {}", flow.timestamp(), flow.entity(), flow.code());
///         Reply::ready(())
///     }
///
///     fn query(&self, _: AuditQuery) -> Reply<Page<AuditRecord, AuditCursor>> {
///         Reply::ready(Page { items: Vec::new(), next: None })
///     }
/// }
///
/// let orchestrator = Orchestrator::builder().service("users").audit(Print).build()?;
/// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
/// Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub trait AuditLog: Debug + Send + Sync + 'static {
    /// Appends the [record](AuditRecord::of) of a flow.
    fn append(&self, flow: &Arc<Flow>) -> Reply<()>;

    /// Returns a page of the records that the filter selects, the newest first by the time of the record, and of one time the last appended
    /// first. To bound its cost a log may examine a part of the records if the filter names an actor together with an entity or a tenant,
    /// or the empty tenant: then the page has fewer items and a cursor. A record that is appended meanwhile may be missing, because a durable flow is recorded later than it ended.
    fn query(&self, query: AuditQuery) -> Reply<Page<AuditRecord, AuditCursor>>;

    /// Returns up to `limit` records of an entity or of all entities, the newest first: the first page of a [query](Self::query).
    fn records(&self, entity: Option<&Key>, limit: usize) -> Reply<Vec<AuditRecord>> {
        let filter = AuditFilter { entity: entity.map(ToString::to_string), ..AuditFilter::default() };
        self.query(AuditQuery::new(filter, limit)).map(|page| page.items)
    }

    /// Returns the page of a [query](Self::query), and for each record whether it is still as it was appended. The default implementation is for
    /// a log without a chain: every record is [`Unchained`](RecordCheck::Unchained).
    ///
    /// A chained log compares each record with two stored hashes: its own and that of the record before it in the log, which another
    /// filter may select. So a record that was edited is [`Changed`](RecordCheck::Changed), and its neighbours are
    /// [`Intact`](RecordCheck::Intact). If a hash was edited, or a record was edited and its hash computed anew, the record behind it is
    /// `Changed`, and so is the record behind one that was deleted. The check sees neither a chain that was computed anew up to its end nor
    /// a log that was truncated: [`verify_chain`](Self::verify_chain) with a known head does.
    ///
    /// ```
    /// use graceful::{
    ///     Code, OrchestrationConfig, Orchestrator, Success,
    ///     backends::{AuditFilter, AuditLog, AuditQuery, RecordCheck, memory},
    /// };
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let audit = memory::AuditLog::new();
    /// let orchestrator = Orchestrator::builder().service("users").audit(audit.clone()).build()?;
    /// let config = OrchestrationConfig::new("user").id("42").on(&orchestrator);
    /// Success::wrap(Code::Ok, "user updated", &"ada").orchestrate(&config).await;
    ///
    /// let page = audit.verified(AuditQuery::new(AuditFilter::default(), 10)).await?;
    /// let (record, check) = &page.items[0];
    /// assert_eq!((&*record.message, *check), ("user updated", RecordCheck::Unchained));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    fn verified(&self, query: AuditQuery) -> Reply<Page<(AuditRecord, RecordCheck), AuditCursor>> {
        self.query(query).map(|Page { items, next }| {
            let items = items.into_iter().map(|record| (record, RecordCheck::Unchained)).collect();
            Page { items, next }
        })
    }

    /// Verifies that no record was changed, and returns the head of the log as a text, to be stored elsewhere and passed as `known` the next
    /// time. It fails for a log that was tampered with. The default implementation fails, since it cannot verify.
    ///
    /// ```
    /// use graceful::backends::{AuditLog, memory};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let error = memory::AuditLog::new().verify_chain(None).await.unwrap_err();
    /// assert!(error.message().starts_with("this audit log cannot be verified"));
    /// # });
    /// ```
    fn verify_chain(&self, known: Option<&str>) -> Reply<String> {
        let _ = known;
        Reply::failed(StepError::new("this audit log cannot be verified: its records form no chain"))
    }
}
