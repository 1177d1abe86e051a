//! A future that runs in its own runtime, independently of the caller's.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::runtime::Handle;

use crate::{
    backends::BoxFuture,
    step::{StepError, contain},
};

/// A future that the caller polls within the future's runtime. If the caller drops it, it continues there as a task. While the
/// caller waits, which is the normal case, no task is spawned.
pub(super) struct Within<T: Send + 'static> {
    runtime: Handle,
    /// `None` after the future is done or has panicked.
    work: Option<BoxFuture<Result<T, StepError>>>,
}

impl<T: Send + 'static> Within<T> {
    pub(super) fn new(
        runtime: &Handle,
        work: impl Future<Output = Result<T, StepError>> + Send + 'static,
    ) -> Self {
        Self { runtime: runtime.clone(), work: Some(Box::pin(work)) }
    }
}

impl<T: Send + 'static> Future for Within<T> {
    type Output = Result<T, StepError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut work = self.work.take().expect("a reply is polled once it was answered");
        let entered = self.runtime.enter();
        let polled = contain(|| work.as_mut().poll(cx)).unwrap_or_else(|error| Poll::Ready(Err(error)));
        drop(entered);
        if polled.is_pending() {
            self.work = Some(work);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Within<T> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            self.runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, task::Waker, time::Duration};

    use tokio::{runtime::Runtime, sync::oneshot, time::sleep};

    use super::*;

    fn poll<T: Send + 'static>(within: &mut Within<T>) -> Poll<Result<T, StepError>> {
        Pin::new(within).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn dropped_reply_is_finished_in_its_runtime() {
        let runtime = Runtime::new().unwrap();
        for polled in [false, true] {
            let (go, gone) = oneshot::channel();
            let (sender, done) = mpsc::channel();
            let mut within = Within::new(runtime.handle(), async move {
                gone.await.map_err(StepError::caused_by)?;
                sleep(Duration::from_millis(1)).await;
                sender.send(()).map_err(StepError::caused_by)
            });
            assert!(!polled || poll(&mut within).is_pending());
            drop(within);
            go.send(()).unwrap();
            done.recv_timeout(Duration::from_secs(10)).unwrap();
        }
    }

    #[test]
    fn reply_is_awaited_outside_of_a_runtime() {
        let runtime = Runtime::new().unwrap();
        let mut within = Within::new(runtime.handle(), async {
            sleep(Duration::from_millis(1)).await;
            tokio::spawn(async { 7 }).await.map_err(StepError::caused_by)
        });
        let answer = loop {
            match poll(&mut within) {
                Poll::Ready(answer) => break answer,
                Poll::Pending => std::thread::yield_now(),
            }
        };
        assert_eq!(answer.unwrap(), 7);
    }

    #[test]
    fn panic_is_an_error_and_does_not_continue() {
        let runtime = Runtime::new().unwrap();
        let (sender, dropped) = mpsc::channel::<()>();
        let mut within = Within::<()>::new(runtime.handle(), async move {
            let _sender = sender;
            panic!("broken")
        });
        assert!(matches!(poll(&mut within), Poll::Ready(Err(error)) if error.message().contains("broken")));
        assert_eq!(dropped.try_recv(), Err(mpsc::TryRecvError::Disconnected));
        drop(within);
    }

    #[test]
    fn reply_of_an_ended_runtime_is_an_error() {
        let runtime = Runtime::new().unwrap();
        let mut within = Within::new(runtime.handle(), async {
            sleep(Duration::from_millis(1)).await;
            Ok(())
        });
        drop(runtime);
        assert!(matches!(poll(&mut within), Poll::Ready(Err(_))));
    }
}
