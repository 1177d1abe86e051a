//! The copy of a source's events, as a store has it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use graceful::{
    StepError,
    backends::{EventReading, EventSource, ReceivedEvent, Selection},
};
use tokio::task::JoinHandle;

use crate::gate::{Gate, awaited, until};

/// The numbers of the events that were copied: each event once, in the order in which it first came.
#[derive(Clone, Debug, Default)]
pub struct Copied(Arc<Mutex<Vec<usize>>>);

impl Copied {
    fn add(&self, number: usize) {
        let mut copied = self.0.lock().unwrap();
        if !copied.contains(&number) {
            copied.push(number);
        }
    }

    pub fn numbers(&self) -> Vec<usize> {
        self.0.lock().unwrap().clone()
    }

    pub async fn wait_for(&self, count: usize) {
        until(async || self.0.lock().unwrap().len() >= count).await;
    }

    /// Copies in a task of its own. A reading that fails is opened anew.
    pub fn copy(&self, source: impl EventSource, selection: Selection) -> JoinHandle<()> {
        self.copy_through(source, selection, Arc::new(Gate::open()))
    }

    /// The same, but each batch must pass a gate before it is stored.
    pub fn copy_through(
        &self,
        source: impl EventSource,
        selection: Selection,
        gate: Arc<Gate>,
    ) -> JoinHandle<()> {
        let this = self.clone();
        tokio::spawn(async move {
            loop {
                let copying: Result<(), StepError> = async {
                    let mut reading = source.open(selection.clone()).await?;
                    loop {
                        let batch = reading.next().await?;
                        gate.pass().await;
                        for number in numbers(&batch) {
                            this.add(number);
                        }
                        reading.acknowledge().await?;
                    }
                }
                .await;
                copying.unwrap_err();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
    }
}

pub async fn open(source: &impl EventSource, selection: Selection) -> Box<dyn EventReading> {
    awaited(source.open(selection)).await.unwrap()
}

/// The numbers of the next batch.
pub async fn next(reading: &mut Box<dyn EventReading>) -> Vec<usize> {
    numbers(&awaited(reading.next()).await.unwrap())
}

fn numbers(batch: &[Vec<u8>]) -> Vec<usize> {
    let number = |body: &Vec<u8>| serde_json::from_slice::<ReceivedEvent>(body).unwrap().result().unwrap();
    batch.iter().map(number).collect()
}
