//! A body that is not async and is called once.

/// A body that stays in the stack frame of its function and is passed by reference. Without optimisation each move of the body would
/// leave a copy of its captured arguments on the stack while the body runs.
pub struct Once<B>(Option<B>);

/// A body whose captures are larger than this is moved to the heap, where it can be called without a copy.
const LARGE: usize = 2048;

impl<B> Once<B> {
    pub(super) const fn new(body: B) -> Self {
        Self(Some(body))
    }

    /// # Panics
    /// Panics if it is called twice, or if the body panics.
    pub(super) fn call<V>(&mut self) -> V
    where
        B: FnOnce() -> V,
    {
        match size_of::<B>() {
            ..=LARGE => self.call_here(),
            _ => self.boxed()(),
        }
    }

    fn call_here<V>(&mut self) -> V
    where
        B: FnOnce() -> V,
    {
        self.take()()
    }

    fn boxed<'b, V>(&mut self) -> Box<dyn FnOnce() -> V + 'b>
    where
        B: FnOnce() -> V + 'b,
    {
        Box::new(self.take())
    }

    fn take(&mut self) -> B {
        self.0.take().expect("a body is called once")
    }
}

impl<B> std::fmt::Debug for Once<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}
