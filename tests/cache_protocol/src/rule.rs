//! The rules of the protocol. Each can be left out, to show that the protocol needs it.

/// A rule of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A write sets a hold and a fresh mark on what it changes, before its body runs.
    Hold,
    /// A write whose hold is not confirmed is refused before its body runs.
    Strict,
    /// A hold does not expire while the body runs.
    Renew,
    /// A put is accepted only if no other hold existed when the hold of its write was set.
    Clean,
    /// A put is accepted only if the marks have not changed since the hold of its write, and no other hold exists.
    PutCas,
    /// The end of a write sets a fresh mark, whatever became of its hold.
    FreshEnd,
    /// A fill is accepted only while the marks are those of its look-up, and no hold exists.
    FillCas,
    /// A load that began under a hold is neither stored nor shared.
    FillNoHold,
    /// A reader takes another's load only if both look-ups saw the same marks, or if its call began before that load's look-up.
    ShareMarks,
    /// A write of unknown outcome sets a fresh mark and leaves its hold to expire.
    Unknown,
    /// With `tx` the hold is set when the body has returned `Ok`; a hold that late allows no put.
    LateDrops,
    /// A hit needs the current mark of everything that the reader depends on.
    AllMarks,
    /// A write that failed and changed nothing puts the old marks back under the conditions of a put.
    RestoreCas,
    /// An entry, a look-up and a hold are valid only for the incarnation of the server in which they were made.
    Incarnation,
}

/// The rules that are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules(u16);

impl Rules {
    /// All rules.
    pub const ALL: Self = Self(u16::MAX);

    /// These rules, but for one.
    #[must_use]
    pub const fn without(self, rule: Rule) -> Self {
        Self(self.0 & !(1 << rule as u16))
    }

    /// Whether a rule is followed.
    pub const fn contains(self, rule: Rule) -> bool {
        self.0 & (1 << rule as u16) != 0
    }
}
