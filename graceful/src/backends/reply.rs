mod within;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use crate::step::StepError;

/// A boxed future without borrows, which can continue in the background.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The reply of a backend: ready, or pending.
///
/// A backend in memory returns a ready reply, without the cost of a future. A backend behind a connection returns a future that owns
/// everything it needs (clones of the client and of the key), so that it can be finished after its caller is dropped.
///
/// ```
/// use graceful::backends::Reply;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let now = Reply::ready(7);
/// let later = Reply::pending(async { Ok(7) });
/// assert_eq!(now.await?, later.await?);
/// # Ok::<(), graceful::StepError>(())
/// # }).unwrap();
/// ```
#[must_use = "a reply that is pending does nothing until it is awaited"]
pub enum Reply<T> {
    /// The reply; `None` after it was taken.
    #[doc(hidden)]
    Ready(Option<Result<T, StepError>>),
    /// The reply is not ready yet.
    #[doc(hidden)]
    Pending(BoxFuture<Result<T, StepError>>),
}

impl<T> Reply<T> {
    /// Creates a successful reply.
    ///
    /// ```
    /// # use graceful::backends::Reply;
    /// let reply: Reply<&str> = Reply::ready("stored");
    /// ```
    pub const fn ready(answer: T) -> Self {
        Self::Ready(Some(Ok(answer)))
    }

    /// Creates a failed reply.
    ///
    /// ```
    /// # use graceful::{StepError, backends::Reply};
    /// let reply: Reply<()> = Reply::failed(StepError::new("full"));
    /// ```
    pub const fn failed(error: StepError) -> Self {
        Self::Ready(Some(Err(error)))
    }

    /// Creates a reply that is ready when the future is.
    ///
    /// ```
    /// # use graceful::backends::Reply;
    /// let reply = Reply::pending(async { Ok(()) });
    /// ```
    pub fn pending(future: impl Future<Output = Result<T, StepError>> + Send + 'static) -> Self {
        Self::Pending(Box::pin(future))
    }

    /// Creates a reply that is ready when the future is; the future runs in this runtime.
    ///
    /// The caller polls the future itself, and need not be in a runtime. If the caller drops the reply, the future continues as
    /// a task of the runtime, so that it is always finished.
    pub fn within(
        runtime: &tokio::runtime::Handle,
        future: impl Future<Output = Result<T, StepError>> + Send + 'static,
    ) -> Self
    where
        T: Send + 'static,
    {
        Self::pending(within::Within::new(runtime, future))
    }

    /// Maps a successful reply.
    ///
    /// ```
    /// # use graceful::backends::Reply;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// assert_eq!(Reply::ready(20).map(|n| n + 1).await?, 21);
    /// # Ok::<(), graceful::StepError>(())
    /// # }).unwrap();
    /// ```
    pub fn map<U>(self, into: impl FnOnce(T) -> U + Send + 'static) -> Reply<U>
    where
        T: 'static,
    {
        self.and_then(|answer| Ok(into(answer)))
    }

    /// Maps a successful reply to another reply or to a failure.
    ///
    /// ```
    /// # use graceful::{StepError, backends::Reply};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let reply = Reply::ready(20).and_then(|_| Err::<(), _>(StepError::new("too late")));
    /// assert_eq!(reply.await.unwrap_err().message(), "too late");
    /// # });
    /// ```
    pub fn and_then<U>(self, into: impl FnOnce(T) -> Result<U, StepError> + Send + 'static) -> Reply<U>
    where
        T: 'static,
    {
        match self {
            Self::Ready(answer) => Reply::Ready(answer.map(|answer| answer.and_then(into))),
            Self::Pending(future) => Reply::pending(async move { into(future.await?) }),
        }
    }
}

impl<T> From<Result<T, StepError>> for Reply<T> {
    fn from(answer: Result<T, StepError>) -> Self {
        Self::Ready(Some(answer))
    }
}

/// # Panics
/// Panics if it is polled again after its reply was taken.
impl<T: Unpin> Future for Reply<T> {
    type Output = Result<T, StepError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Ready(answer) => {
                Poll::Ready(answer.take().expect("a reply is polled once it was answered"))
            }
            Self::Pending(future) => Poll::Ready(ready!(future.as_mut().poll(cx))),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(answer) => f.debug_tuple("Ready").field(answer).finish(),
            Self::Pending(_) => f.debug_tuple("Pending").finish_non_exhaustive(),
        }
    }
}
