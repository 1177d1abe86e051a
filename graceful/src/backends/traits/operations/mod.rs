//! Operations on many stored flows, and pauses: the trait, and its data.

mod item;
mod operation;
mod pause;

use std::{fmt::Debug, time::Duration};

use uuid::Uuid;

pub use self::{
    item::{ItemState, OperationItem, SelectedFlow},
    operation::{NewOperation, Operation, OperationClaim, OperationState},
    pause::{Pause, PauseTarget},
};
use super::{Count, Page};
use crate::backends::Reply;

/// A part of a [`FlowStore`](super::FlowStore): operations on many flows, which survive the process that runs them, and pauses.
///
/// **An operation** has a list of flows, which is fixed before it starts, with the version of each flow. A process claims the operation for the time
/// of a lease, and [advances](Self::advance) it in small transactions. When the process dies the lease expires, and another process goes on. The
/// functions of [`graceful::operations`](crate::operations) do this.
///
/// **A pause** stops claims: [`FlowStore::claim`](super::FlowStore::claim) returns no flows while the relays are paused, and none of a handler that
/// is paused. What is running already goes on. A pause of a subscriber is only stored here, and the subscriber asks for it.
///
/// The suite `graceful_testing::conformance::operations` checks a store for these rules.
///
/// ```
/// use graceful::backends::{FlowStore, PauseTarget, Room, memory};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = memory::Flows::new();
/// let operations = store.operations().unwrap();
/// assert!(operations.pause(PauseTarget::Relays, "ada", "the broker is replaced").await?);
/// assert_eq!(store.claim(Room::of(10), std::time::Duration::from_secs(30)).await?, []);
/// assert_eq!(operations.pauses().await?[0].reason, "the broker is replaced");
/// assert!(operations.resume(PauseTarget::Relays).await?);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
pub trait Operations: Debug + Send + Sync {
    /// Lists the pauses.
    fn pauses(&self) -> Reply<Vec<Pause>>;
    /// Pauses, in the name of an operator and for a reason. Returns false, and changes nothing, if the target is paused already.
    fn pause(&self, target: PauseTarget, operator: &str, reason: &str) -> Reply<bool>;
    /// Ends a pause. Returns false if the target is not paused. Relays claim again within a second.
    fn resume(&self, target: PauseTarget) -> Reply<bool>;
    /// Counts the queued flows of other handlers that wait behind queued flows of this handler, because they belong to the same entities, up
    /// to `cap`. To bound its cost a store may examine a part of the flows: then the count is a lower bound.
    fn waiting_behind(&self, handler: &str, cap: u64) -> Reply<Count>;

    /// Stores a new operation, whose list is empty, in the state [`Preparing`](OperationState::Preparing).
    fn prepare(&self, operation: NewOperation) -> Reply<()>;
    /// Adds flows to the list of an operation that is being prepared, as they were seen. A flow that is in the list already is not added
    /// again; one that does not exist is skipped.
    fn select(&self, id: Uuid, flows: Vec<SelectedFlow>) -> Reply<()>;
    /// Fixes the list. Returns the operation as it is then.
    fn fix(&self, id: Uuid) -> Reply<Option<Operation>>;
    /// Starts an operation that is prepared, unless it has expired. Returns the operation as it is then: only one in the state
    /// [`Running`](OperationState::Running) can be [claimed](Self::claim_operation).
    fn start(&self, id: Uuid) -> Reply<Option<Operation>>;
    /// Cancels an operation that has not ended, in the name of an operator, which somebody has verified or not. The flows that it has not come to are left as they are; its claim is
    /// lost. Returns the operation as it is then.
    fn cancel(&self, id: Uuid, operator: &str, verified: bool) -> Reply<Option<Operation>>;

    /// Claims an operation that is running, or was and is not [recorded](Self::record), if nobody has claimed it or the lease has expired: the one
    /// with this id, or any.
    fn claim_operation(&self, id: Option<Uuid>, lease: Duration) -> Reply<Option<OperationClaim>>;
    /// Goes on with an operation, in one transaction, and extends the lease. It acts on up to `limit` flows in the order of their ids; a flow
    /// whose version has changed is skipped. At most 100 flows are resubmitted without a finished first attempt, including the failures in a row.
    /// Returns the operation as it is then, or `None` if the claim is lost or the operation has ended.
    fn advance(&self, claim: OperationClaim, lease: Duration, limit: usize) -> Reply<Option<Operation>>;
    /// Skips the next flow, because the store fails to change it. This counts as a failure. Returns the operation as it is then, or `None` if the
    /// claim is lost.
    fn skip_next(&self, claim: OperationClaim, reason: &str) -> Reply<Option<Operation>>;
    /// Ends a running operation in this state, and keeps the claim. Returns false if the claim is lost.
    fn end(&self, claim: OperationClaim, state: OperationState) -> Reply<bool>;
    /// Stores that the audit log has the record of an operation that has ended, and ends the claim. Returns false if the claim is lost.
    fn record(&self, claim: OperationClaim) -> Reply<bool>;

    /// Returns the secret of this name: 32 random bytes from a cryptographic source, which are created at the first call with the name. From then
    /// on they are the same for all processes of the store, also after restarts. A console signs the tokens of its forms with them.
    ///
    /// Whoever can read the secret can forge what is signed with it. Fails if there is none yet and the store can only be read.
    ///
    /// ```
    /// use graceful::backends::{FlowStore, memory};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let store = memory::Flows::new();
    /// let operations = store.operations().unwrap();
    /// let secret = operations.secret("forms").await?;
    /// assert_eq!(secret.len(), 32);
    /// assert_eq!(operations.secret("forms").await?, secret);
    /// assert_ne!(operations.secret("cookies").await?, secret);
    /// # Ok::<(), graceful::StepError>(())
    /// # }).unwrap();
    /// ```
    fn secret(&self, name: &str) -> Reply<Vec<u8>>;

    /// Returns one operation.
    fn operation(&self, id: Uuid) -> Reply<Option<Operation>>;
    /// Returns a page of the operations, the newest first; the next page begins behind the last id.
    fn list(&self, after: Option<Uuid>, limit: usize) -> Reply<Page<Operation, Uuid>>;
    /// Returns the operations that have this flow in their lists, the newest first, up to [`Operation::LISTED_PER_FLOW`].
    fn operations_on(&self, flow: Uuid) -> Reply<Vec<Operation>>;
    /// Returns a page of the list of an operation, of one state or of all, in the order of the flows' ids.
    fn items(
        &self,
        id: Uuid,
        state: Option<ItemState>,
        after: Option<Uuid>,
        limit: usize,
    ) -> Reply<Page<OperationItem, Uuid>>;
    /// Deletes the operations, with their lists, that ended this long ago, or that were prepared this long ago and never started. Returns the
    /// number of deleted operations.
    fn purge_operations(&self, age: Duration) -> Reply<u64>;
}
