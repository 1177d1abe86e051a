//! What a run has done, and what was wrong.

use std::fmt;

use crate::data::{Subject, Version};

/// A read that was too old.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub operation: u64,
    pub subject: Subject,
    /// What it saw; `None` if it saw that the subject does not exist.
    pub saw: Option<Version>,
    /// The version that it must have seen, or a newer one.
    pub floor: Version,
    /// The write that committed that version.
    pub writer: u64,
    /// Whether all writes had ended when the read began.
    pub at_rest: bool,
    /// The events of the subject up to then.
    pub history: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, subject, saw, floor, writer, at_rest, history } = self;
        let saw =
            saw.map_or_else(|| "that it does not exist".to_owned(), |version| format!("version {version}"));
        let since = if *at_rest { "was committed by" } else { "was acknowledged before by" };
        writeln!(
            f,
            "operation {operation} read {subject:?} and saw {saw}, but version {floor} {since} operation {writer}"
        )?;
        write!(f, "{history}")
    }
}

/// The numbers of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub seed: u64,
    pub operations: u64,
    /// Reads that returned a value.
    pub reads: u64,
    /// Reads that returned a value without a load of their own: it was cached, or another call had loaded it.
    pub hits: u64,
    /// Rows and lists that they returned: more than the reads, because some readers return two.
    pub shown: u64,
    /// How often a body asked the database for one of them.
    pub loads: u64,
    pub failed_reads: u64,
    pub acknowledged: u64,
    pub refused: u64,
    /// Writes that returned an `Err` of unknown outcome.
    pub unknown: u64,
    /// Reads and writes whose future was dropped.
    pub cancelled: u64,
    /// Commits, acknowledged or not.
    pub commits: u64,
    /// Reads that were older than an acknowledged write.
    pub stale: u64,
    /// Reads that were older than the database although nothing was in progress.
    pub stale_at_rest: u64,
    /// The first violations.
    pub violations: Vec<Violation>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, operations, reads, hits, shown, loads, failed_reads, .. } = self;
        let Self {
            acknowledged, refused, unknown, cancelled, commits, stale, stale_at_rest, violations, ..
        } = self;
        writeln!(
            f,
            "seed {seed}: {operations} operations: {reads} reads of {shown} values, of which {hits} were answered without a load of their own, \
             with {loads} loads, {failed_reads} failed; \
             {commits} commits, {acknowledged} acknowledged, {refused} refused, {unknown} unknown; \
             {cancelled} calls cancelled; {stale} stale reads, and {stale_at_rest} at rest"
        )?;
        violations.iter().try_for_each(|violation| writeln!(f, "{violation}"))
    }
}

impl Report {
    /// Fails unless the rule was kept, and enough hits were checked: a cache that never answers keeps any rule.
    #[track_caller]
    pub fn assert_holds(&self) {
        assert_eq!((self.stale, self.stale_at_rest), (0, 0), "{self}");
        assert!(self.hits > 0, "no hit was checked: {self}");
        assert!(self.acknowledged > 0, "nothing was written: {self}");
    }

    /// Fails unless a stale read was found.
    #[track_caller]
    pub fn assert_violated(&self) {
        assert!(self.stale > 0, "no stale read was found: {self}");
        assert!(self.hits > 0, "no hit was checked: {self}");
    }
}
