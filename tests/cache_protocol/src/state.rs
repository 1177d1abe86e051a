//! The state of the model: the database, the cache server, the messages under way, the writers and the readers.

use std::collections::BTreeSet;

/// The entity that is cached.
pub const A: usize = 0;
/// An entity that the value of [`A`] may show.
pub const D: usize = 1;

/// One value for each entity.
pub type Each<T> = [T; 2];
/// How often an entity was written.
pub type Version = u8;
/// The token of an entity. The model counts them; in the implementation they are random.
pub type Mark = u8;
/// The mark of each entity, where there is one.
pub type Marks = Each<Option<Mark>>;
/// How often the server was restarted.
pub type Incarnation = u8;

/// Everything that an action may change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The committed version of each entity.
    pub database: Each<Version>,
    /// The newest acknowledged version of each entity.
    pub acknowledged: Each<Version>,
    /// A mark that was not used yet.
    pub unused_mark: Mark,
    /// What the cache server stores.
    pub cache: Cache,
    /// What the cache server restarts from.
    pub snapshot: Option<Cache>,
    /// The messages that were sent to the server and have not arrived. They may arrive in any order.
    pub messages: BTreeSet<Message>,
    /// The calls that write.
    pub writers: Vec<Writer>,
    /// The calls that read.
    pub readers: Vec<Reader>,
    /// The faults that may still occur.
    pub faults: Faults,
}

/// What the cache server stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cache {
    /// The current mark of each entity.
    pub marks: Marks,
    /// The writers that hold each entity.
    pub holds: Each<Indices>,
    /// The cached value of [`A`].
    pub entry: Option<Entry>,
    /// Which start of the server this is.
    pub incarnation: Incarnation,
}

/// A cached value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// The version of each entity that the value shows.
    pub value: Each<Version>,
    /// The marks under which it was read or written.
    pub marks: Marks,
    /// The incarnation of the server in which it was read or written.
    pub incarnation: Incarnation,
}

/// A message to the cache server. A reply is part of the arrival, since a client that stopped waiting ignores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// Set the holds of a write.
    Hold {
        /// The writer.
        writer: usize,
    },
    /// End a write.
    End {
        /// The writer.
        writer: usize,
        /// What the writer knew when the message was sent.
        sent: Writer,
        /// Whether the writer waits for the reply; nobody does if the relay or a dropped call sent the message.
        awaited: bool,
    },
    /// Answer from the cache, or tell the marks.
    LookUp {
        /// The reader.
        reader: usize,
    },
    /// Store what was loaded.
    Fill {
        /// The reader.
        reader: usize,
        /// The value, with the marks and the incarnation of its look-up.
        entry: Entry,
    },
}

/// A call that writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Writer {
    /// What it has done.
    pub phase: WriterPhase,
    /// The versions that it committed; after a failure that changed nothing, none.
    pub written: Option<Each<Option<Version>>>,
    /// The version of [`D`] that its body read, which its value shows.
    pub seen: Version,
    /// The reply to its hold.
    pub held: Option<Held>,
}

/// What a write has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WriterPhase {
    /// Nothing.
    #[default]
    Start,
    /// It waits for its hold.
    Holding,
    /// Its hold is confirmed.
    Held,
    /// Its body runs.
    Body,
    /// It was dropped while its commit was under way.
    InFlight,
    /// It has committed, or failed.
    Committed,
    /// It waits for its end.
    Ending,
    /// Its end was sent, and it no longer waits for it.
    Ended,
    /// Its caller has the answer.
    Acknowledged,
    /// Its caller has the answer, and the relay has ended it.
    Over,
    /// It was refused or dropped, or its process died.
    Dead,
}

/// The reply to a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Held {
    /// The marks before the hold.
    pub old: Marks,
    /// The marks after the hold.
    pub new: Marks,
    /// Whether a put may follow: no other write held any of these entities.
    pub clean: bool,
    /// The incarnation of the server.
    pub incarnation: Incarnation,
}

/// A call that reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reader {
    /// What it has done.
    pub phase: ReaderPhase,
    /// The versions that were acknowledged when it began, so it must not return older ones.
    pub needed: Each<Version>,
    /// The marks of its look-up, if it missed.
    pub marks: Option<Marks>,
    /// Whether its load may be stored and shared.
    pub storable: bool,
    /// The versions that it loaded, or got from the cache or from another reader.
    pub value: Each<Version>,
    /// The incarnation of the server at its look-up.
    pub incarnation: Incarnation,
    /// The readers whose calls had begun at its look-up.
    pub earlier: Indices,
}

/// What a read has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReaderPhase {
    /// Nothing.
    #[default]
    Start,
    /// It waits for its look-up.
    LookingUp,
    /// It has to load.
    Missed,
    /// It has loaded [`A`].
    HalfLoaded,
    /// It has loaded [`D`], too.
    Loaded,
    /// It waits for its fill.
    Filling,
    /// It has returned its value.
    Done,
}

/// How many faults of each kind may occur.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Faults {
    /// A client stops waiting for a reply; its message may arrive later, or never.
    pub cuts: u8,
    /// The process of a writer dies.
    pub crashes: u8,
    /// The server evicts an entry or a mark.
    pub evictions: u8,
    /// The server restarts from a snapshot.
    pub restarts: u8,
}

/// A set of writers or readers, by their indices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Indices(u8);

impl Indices {
    /// Adds an index.
    pub fn insert(&mut self, index: usize) {
        self.0 |= 1 << index;
    }

    /// Removes an index.
    pub fn remove(&mut self, index: usize) {
        self.0 &= !(1 << index);
    }

    /// Whether an index is in the set.
    pub fn contains(self, index: usize) -> bool {
        self.0 & (1 << index) != 0
    }

    /// Whether there is no index.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether there is this index, and no other.
    pub fn is_only(self, index: usize) -> bool {
        self.0 == 1 << index
    }
}

impl FromIterator<usize> for Indices {
    fn from_iter<I: IntoIterator<Item = usize>>(indices: I) -> Self {
        let mut set = Self::default();
        indices.into_iter().for_each(|index| set.insert(index));
        set
    }
}
