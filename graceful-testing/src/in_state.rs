//! Reads all flows in a state.

use graceful::{
    StepError,
    backends::{FlowQuery, FlowState, FlowStore, StoredFlow},
};

/// Reads all flows in a state, with their bodies, for tests with few flows.
///
/// ```
/// use graceful::backends::{FlowState, memory};
/// use graceful_testing::InState;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert_eq!(memory::Flows::new().in_state(FlowState::Dead).await?, []);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
pub trait InState {
    /// Returns the flows in a state, the oldest first.
    ///
    /// # Errors
    /// Fails if the store fails.
    fn in_state(&self, state: FlowState) -> impl Future<Output = Result<Vec<StoredFlow>, StepError>> + Send;
}

impl<S: FlowStore + ?Sized> InState for S {
    async fn in_state(&self, state: FlowState) -> Result<Vec<StoredFlow>, StepError> {
        let (mut flows, mut query) = (Vec::new(), FlowQuery::new(state, 1000));
        loop {
            let page = self.flows(query.clone()).await?;
            for flow in page.items {
                flows.extend(self.get(flow.id).await?.filter(|stored| stored.summary.state == state));
            }
            let Some(next) = page.next else { break };
            query = query.continued(next).map_err(StepError::caused_by)?;
        }
        flows.reverse();
        Ok(flows)
    }
}
