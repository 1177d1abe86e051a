//! What happens in one exploration of the model: the writes, the readers, the faults, and the rules that are followed.

use crate::{
    rule::{Rule, Rules},
    state::{A, Cache, D, Each, Entry, Faults, Indices, Marks, Reader, State, Writer},
};

/// One write.
#[derive(Clone, Copy, Debug)]
pub struct Write {
    pub(crate) kind: Kind,
    /// The entities that it changes.
    pub(crate) changes: &'static [usize],
    /// Whether its value shows [`D`], which it declares with `depends_on`.
    pub(crate) depends_on_d: bool,
}

/// What a write does at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Put,
    Invalidate,
    Fail,
    Drop,
}

impl Write {
    const fn new(kind: Kind, changes: &'static [usize]) -> Self {
        Self { kind, changes, depends_on_d: false }
    }

    /// A write of [`A`] that puts its value into the cache.
    pub const fn put() -> Self {
        Self::new(Kind::Put, &[A])
    }

    /// The same, with a value that shows [`D`].
    pub const fn put_depends_on_d() -> Self {
        Self { depends_on_d: true, ..Self::put() }
    }

    /// A write that only invalidates what it changes.
    pub const fn invalidate(changes: &'static [usize]) -> Self {
        Self::new(Kind::Invalidate, changes)
    }

    /// A write of [`A`] that fails with an error which says that nothing changed.
    pub const fn fail() -> Self {
        Self::new(Kind::Fail, &[A])
    }

    /// A write of [`A`] that may be dropped while its commit is under way.
    pub const fn drop_in_flight() -> Self {
        Self::new(Kind::Drop, &[A])
    }
}

/// How the writes of a scenario are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The call ends its write.
    Inline,
    /// The relay ends the write once more.
    Durable,
    /// The flow is stored in the caller's transaction (`tx`): the hold is set after the body, and only the relay ends the write.
    Tx,
}

/// What happens in one exploration of the model.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub(crate) writes: Vec<Write>,
    pub(crate) readers: usize,
    /// The entities on which the readers depend.
    pub(crate) reads: &'static [usize],
    pub(crate) delivery: Delivery,
    /// Whether the key of the writes is known only after the body, so that they set no hold.
    pub(crate) key_of_result: bool,
    /// Whether an entry must be as new as the database when everything has come to rest.
    pub(crate) settles: bool,
    pub(crate) faults: Faults,
    /// Whether a mark may be evicted while its entity is held, which evicts the hold, too.
    pub(crate) evicts_holds: bool,
    pub(crate) rules: Rules,
}

impl Scenario {
    /// Writes beside a number of readers, without faults and with all rules.
    pub fn new(writes: &[Write], readers: usize) -> Self {
        Self {
            writes: writes.to_vec(),
            readers,
            reads: &[A],
            delivery: Delivery::Inline,
            key_of_result: false,
            settles: true,
            faults: Faults::default(),
            evicts_holds: false,
            rules: Rules::ALL,
        }
    }

    /// The readers depend on [`D`], too.
    #[must_use]
    pub fn reads_both(mut self) -> Self {
        self.reads = &[A, D];
        self
    }

    /// How the writes are delivered; inline by default.
    #[must_use]
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// The key of the writes is one over `result`: they set no hold.
    #[must_use]
    pub fn key_of_result(mut self) -> Self {
        self.key_of_result = true;
        self
    }

    /// An entry may stay older than the database; only what a read returns is checked.
    #[must_use]
    pub fn reads_only(mut self) -> Self {
        self.settles = false;
        self
    }

    /// How often a client may stop waiting for a reply.
    #[must_use]
    pub fn cuts(mut self, times: u8) -> Self {
        self.faults.cuts = times;
        self
    }

    /// How many processes may die.
    #[must_use]
    pub fn crashes(mut self, times: u8) -> Self {
        self.faults.crashes = times;
        self
    }

    /// How many entries, and marks of entities without a hold, may be evicted.
    #[must_use]
    pub fn evictions(mut self, times: u8) -> Self {
        self.faults.evictions = times;
        self
    }

    /// The same, and marks together with the holds of their entity.
    #[must_use]
    pub fn evictions_with_holds(mut self, times: u8) -> Self {
        self.evicts_holds = true;
        self.evictions(times)
    }

    /// How often the server may restart from a snapshot.
    #[must_use]
    pub fn restarts(mut self, times: u8) -> Self {
        self.faults.restarts = times;
        self
    }

    /// One rule is not followed.
    #[must_use]
    pub fn without(mut self, rule: Rule) -> Self {
        self.rules = self.rules.without(rule);
        self
    }

    /// Whether a rule is followed.
    pub(crate) fn follows(&self, rule: Rule) -> bool {
        self.rules.contains(rule)
    }

    pub(crate) fn is_tx(&self) -> bool {
        self.delivery == Delivery::Tx
    }

    /// The marks of what the readers depend on.
    pub(crate) fn read_marks(&self, marks: Marks) -> Marks {
        let mut read = Each::default();
        for &entity in self.reads {
            read[entity] = marks[entity];
        }
        read
    }

    /// A current entry is cached, and nothing has begun.
    pub(crate) fn initial_state(&self) -> State {
        let marks = [Some(1), Some(2)];
        State {
            database: [0, 0],
            acknowledged: [0, 0],
            unused_mark: 3,
            cache: Cache {
                marks,
                holds: [Indices::default(); 2],
                entry: Some(Entry { value: [0, 0], marks, incarnation: 0 }),
                incarnation: 0,
            },
            snapshot: None,
            messages: [].into(),
            writers: vec![Writer::default(); self.writes.len()],
            readers: vec![Reader::default(); self.readers],
            faults: self.faults,
        }
    }
}
