//! A body that is not async, called once.

/// Stays in the frame of its function, and is passed on by reference: without optimisation each move of the arguments that it has
/// captured is a copy on the stack, for as long as the body runs.
pub struct Once<B>(Option<B>);

/// What a body has captured beyond this is moved to the heap, from where it can be called without a copy.
const LARGE: usize = 2048;

impl<B> Once<B> {
    pub(super) const fn new(body: B) -> Self {
        Self(Some(body))
    }

    /// # Panics
    /// When it is called twice, and when the body panics.
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
