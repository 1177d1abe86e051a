//! The circuits of this process by server, for its metrics.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::locks::unpoisoned;

/// The number of open circuits of each server that was ever called.
static OPEN: Mutex<BTreeMap<&str, usize>> = Mutex::new(BTreeMap::new());

/// The circuit of one breaker.
#[derive(Debug)]
pub(super) struct Circuit {
    server: &'static str,
    /// Set by the first call: a breaker is made in a `const`, which cannot list its server.
    listed: OnceLock<()>,
    is_open: AtomicBool,
}

impl Circuit {
    pub(super) const fn of(server: &'static str) -> Self {
        Self { server, listed: OnceLock::new(), is_open: AtomicBool::new(false) }
    }

    /// From its first call on, a server is listed. Later this costs one load.
    #[inline]
    pub(super) fn called(&self) {
        self.listed.get_or_init(|| change(self.server, |open| open));
    }

    #[cold]
    pub(super) fn opened(&self) {
        if !self.is_open.swap(true, Ordering::Relaxed) {
            change(self.server, |open| open + 1);
        }
    }

    #[cold]
    pub(super) fn closed(&self) {
        if self.is_open.swap(false, Ordering::Relaxed) {
            change(self.server, |open| open.saturating_sub(1));
        }
    }
}

/// The circuit of a breaker that is gone is not open.
impl Drop for Circuit {
    fn drop(&mut self) {
        self.closed();
    }
}

fn change(server: &'static str, change: impl FnOnce(usize) -> usize) {
    let mut all = unpoisoned(OPEN.lock());
    let open = all.entry(server).or_default();
    *open = change(*open);
}

/// Whether a circuit of each server is open.
pub(crate) fn circuits() -> Vec<(&'static str, bool)> {
    unpoisoned(OPEN.lock()).iter().map(|(server, open)| (*server, *open > 0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::client::Breaker;

    fn is_open(server: &str) -> Option<bool> {
        circuits().into_iter().find(|(name, _)| *name == server).map(|(_, open)| open)
    }

    fn open(breaker: &Breaker) {
        while let Ok(call) = breaker.admit() {
            call.failed();
        }
    }

    #[test]
    fn server_is_listed_from_its_first_call_on_and_open_while_any_of_its_circuits_is() {
        let server = "the server of this test";
        let [one, other, unused] = [(); 3].map(|()| Breaker::new(server));
        assert_eq!(is_open(server), None);
        one.admit().unwrap().succeeded();
        assert_eq!(is_open(server), Some(false));
        open(&one);
        open(&other);
        assert_eq!(is_open(server), Some(true));
        one.attempt().succeeded();
        assert_eq!(is_open(server), Some(true), "the other one is open");
        drop((other, unused));
        assert_eq!(is_open(server), Some(false), "an open one is gone");
        open(&one);
        assert_eq!(is_open(server), Some(true));
    }
}
