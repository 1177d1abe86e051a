//! A recorder of reports.

use std::sync::Arc;

use graceful::{FlowReport, OrchestratorBuilder};
use tokio::sync::watch;

use crate::gate::awaited;

/// The reports of an orchestrator, in the order in which its flows ended.
#[derive(Clone, Debug)]
pub struct Reports(Arc<watch::Sender<Vec<FlowReport>>>);

impl Default for Reports {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Vec::new())))
    }
}

impl Reports {
    pub fn of(&self, builder: OrchestratorBuilder) -> OrchestratorBuilder {
        let reports = Arc::clone(&self.0);
        builder.on_report(move |report| reports.send_modify(|all| all.push(report.clone())))
    }

    pub fn all(&self) -> Vec<FlowReport> {
        self.0.borrow().clone()
    }

    pub fn count(&self) -> usize {
        self.0.borrow().len()
    }

    #[track_caller]
    pub fn last(&self) -> FlowReport {
        self.0.borrow().last().expect("a flow has ended").clone()
    }

    #[track_caller]
    pub fn only(&self) -> FlowReport {
        let all = self.all();
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].clone()
    }

    /// Waits until so many flows have ended.
    pub async fn until(&self, count: usize) -> Vec<FlowReport> {
        awaited(self.0.subscribe().wait_for(|all| all.len() >= count)).await.unwrap().clone()
    }
}
