//! A gate in a hook's way.

use std::time::Duration;

use tokio::sync::Semaphore;

/// Closed until it is opened; tells who stands before it.
#[derive(Debug)]
pub struct Gate {
    open: Semaphore,
    waiting: Semaphore,
}

impl Gate {
    pub const fn closed() -> Self {
        Self { open: Semaphore::const_new(0), waiting: Semaphore::const_new(0) }
    }

    /// Lets everything pass.
    pub const fn open() -> Self {
        Self { open: Semaphore::const_new(Semaphore::MAX_PERMITS), waiting: Semaphore::const_new(0) }
    }

    pub async fn pass(&self) {
        self.waiting.add_permits(1);
        self.open.acquire().await.unwrap().forget();
    }

    /// Until one more has come to the gate.
    pub async fn reached(&self) {
        awaited(self.waiting.acquire()).await.unwrap().forget();
    }

    pub fn open_for(&self, so_many: usize) {
        self.open.add_permits(so_many);
    }
}

/// What must come, or the test fails instead of hanging.
pub async fn awaited<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("it comes within a minute")
}

/// Asks again and again what tells nobody when it changes, or the test fails instead of hanging.
pub async fn until<F: Future<Output = bool>>(mut holds: impl FnMut() -> F) {
    awaited(async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}
