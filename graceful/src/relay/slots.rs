//! Tells the relay which attempts have ended before their outcomes are recorded.

use std::task::{Context, Poll};

use tokio::{sync::mpsc, task};

/// The receiver of attempts that have ended.
pub(super) struct Slots {
    sender: mpsc::UnboundedSender<task::Id>,
    receiver: mpsc::UnboundedReceiver<task::Id>,
}

/// Frees the slot of the task that it is used in.
pub(super) struct Freeing(mpsc::UnboundedSender<task::Id>);

impl Freeing {
    pub fn free(self) {
        // A relay that has ended claims no more flows.
        let _ = self.0.send(task::id());
    }
}

impl Slots {
    pub fn new() -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self { sender, receiver }
    }

    pub fn freeing(&self) -> Freeing {
        Freeing(self.sender.clone())
    }

    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<task::Id> {
        match self.receiver.poll_recv(cx) {
            Poll::Ready(Some(id)) => Poll::Ready(id),
            // Never closed: there is a sender.
            _ => Poll::Pending,
        }
    }

    pub fn try_next(&mut self) -> Option<task::Id> {
        self.receiver.try_recv().ok()
    }
}
