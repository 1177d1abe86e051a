//! Tells the relay which attempts have ended before their outcomes are recorded.

use std::task::{Context, Poll};

use tokio::{sync::mpsc, task};

/// The task of a claimed flow and its followers, and how many of them have run.
pub(super) type Freed = (task::Id, usize);

/// The receiver of attempts that have ended.
pub(super) struct Slots {
    sender: mpsc::UnboundedSender<Freed>,
    receiver: mpsc::UnboundedReceiver<Freed>,
}

/// Frees the slot of the task that it is used in.
pub(super) struct Freeing(mpsc::UnboundedSender<Freed>);

impl Freeing {
    pub fn free(&self, ran: usize) {
        // A relay that has ended claims no more flows.
        let _ = self.0.send((task::id(), ran));
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

    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Freed> {
        match self.receiver.poll_recv(cx) {
            Poll::Ready(Some(freed)) => Poll::Ready(freed),
            // Never closed: there is a sender.
            _ => Poll::Pending,
        }
    }

    pub fn try_next(&mut self) -> Option<Freed> {
        self.receiver.try_recv().ok()
    }
}
