//! Records how far this process has come.

use std::time::Instant;

use super::{
    super::job::partition_of,
    RECORDED, Reading,
    partitions::{bits, each},
};
use crate::{backends::Progress, step::StepError};

impl Reading {
    /// Records progress, and gives back the partitions whose handlers have ended.
    pub(super) async fn record(&mut self) -> Result<(), StepError> {
        let over = bits(each(self.partitions.leaving()).filter(|at| !self.entities.runs_in(*at)));
        self.partitions.finish(over);
        let progress: Vec<_> = self.partitions.progress().collect();
        // Most positions pass what was handled behind them before it is due.
        let is_due = over != 0 || self.is_stopping || Instant::now() >= self.record_at;
        let handled = if is_due { self.partitions.take_handled() } else { Vec::new() };
        if !progress.is_empty() || !handled.is_empty() {
            let recorded = self.advance(&progress, handled).await?;
            let asked = bits(progress.iter().map(|progress| usize::from(progress.partition)));
            self.lost(asked & !recorded);
            self.partitions.record(&progress);
        }
        self.must_record = false;
        if is_due {
            self.record_at = Instant::now() + RECORDED;
        }
        if over != 0 {
            self.handling.subscriptions.release(self.handling.reader.clone(), over).await?;
            self.lose(over);
        }
        Ok(())
    }

    pub(super) async fn advance(
        &mut self,
        progress: &[Progress],
        handled: Vec<(i64, u64)>,
    ) -> Result<u32, StepError> {
        let recorded = match self.handling.subscriber.transaction {
            // A transaction records its event itself.
            Some(_) => Vec::new(),
            None => handled.clone(),
        };
        // A handled event counts only for a partition with progress.
        let mut progress = progress.to_vec();
        for (entity, _) in &recorded {
            let partition = u8::try_from(partition_of(*entity)).unwrap_or_default();
            if !progress.iter().any(|progress| progress.partition == partition) {
                progress.extend(self.partitions.current(partition));
            }
        }
        let advanced =
            self.handling.subscriptions.advance(self.handling.reader.clone(), progress, recorded).await;
        if advanced.is_err() {
            self.partitions.untake_handled(handled);
        }
        advanced
    }
}
