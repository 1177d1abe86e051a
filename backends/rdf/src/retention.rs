//! The retention of a knowledge graph.

use std::time::Duration;

use jiff::Timestamp;

/// The retention of a knowledge graph: the last flows of each entity, up to a maximum age.
///
/// When a flow is deleted, its relations are deleted too, unless another retained flow has the same relation.
///
/// ```
/// use std::time::Duration;
///
/// use graceful_rdf::Retention;
///
/// let week = Retention::new().flows_per_entity(10).age(Duration::from_secs(7 * 24 * 60 * 60));
/// assert_ne!(week, Retention::new());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    flows_per_entity: usize,
    age: Duration,
}

impl Retention {
    /// The default: the last 100 flows of each entity, up to 30 days old.
    ///
    /// ```
    /// let retention = graceful_rdf::Retention::new();
    /// ```
    pub const fn new() -> Self {
        Self { flows_per_entity: 100, age: Duration::from_secs(30 * 24 * 60 * 60) }
    }

    /// Sets the number of flows per entity; 0 counts as 1.
    ///
    /// ```
    /// let last = graceful_rdf::Retention::new().flows_per_entity(1);
    /// ```
    #[must_use]
    pub const fn flows_per_entity(self, flows: usize) -> Self {
        Self { flows_per_entity: if flows == 0 { 1 } else { flows }, ..self }
    }

    /// Sets the maximum age; [`Duration::MAX`] retains flows of any age.
    ///
    /// ```
    /// let ageless = graceful_rdf::Retention::new().age(std::time::Duration::MAX);
    /// ```
    #[must_use]
    pub const fn age(self, age: Duration) -> Self {
        Self { age, ..self }
    }

    /// The number of retained flows per entity.
    pub(crate) const fn max_flows_per_entity(&self) -> usize {
        self.flows_per_entity
    }

    /// The time before which flows are deleted.
    pub(crate) fn since(&self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.age).unwrap_or(Timestamp::MIN)
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self::new()
    }
}
