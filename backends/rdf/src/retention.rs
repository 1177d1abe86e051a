//! How much of the past a graph keeps.

use std::time::Duration;

use jiff::Timestamp;

/// How much of the past a knowledge graph keeps: the last flows of each entity, none older than an age.
///
/// What a forgotten flow related is forgotten with it, unless another flow that is kept says the same.
///
/// ```
/// use std::time::Duration;
///
/// use graceful_rdf::Retention;
///
/// let default = Retention::new();
/// assert_eq!((default.flows_per_entity(), default.age()), (100, Duration::from_secs(30 * 24 * 60 * 60)));
///
/// let week = default.flows_per_entity(10).age(Duration::from_secs(7 * 24 * 60 * 60));
/// assert_eq!(week.flows_per_entity(), 10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    flows_per_entity: usize,
    age: Duration,
}

impl Retention {
    /// The last 100 flows of each entity, none older than 30 days.
    ///
    /// ```
    /// let retention = graceful_rdf::Retention::new();
    /// ```
    pub const fn new() -> Self {
        Self { flows_per_entity: 100, age: Duration::from_secs(30 * 24 * 60 * 60) }
    }

    /// The same with the last so many flows of each entity; 0 counts as 1.
    ///
    /// ```
    /// let last = graceful_rdf::Retention::new().flows_per_entity(1);
    /// ```
    #[must_use]
    pub const fn flows_per_entity(self, flows: usize) -> Self {
        Self { flows_per_entity: if flows == 0 { 1 } else { flows }, ..self }
    }

    /// The same with another age; [`Duration::MAX`] keeps flows of any age.
    ///
    /// ```
    /// let ageless = graceful_rdf::Retention::new().age(std::time::Duration::MAX);
    /// ```
    #[must_use]
    pub const fn age(self, age: Duration) -> Self {
        Self { age, ..self }
    }

    /// How many flows of an entity are kept.
    pub(crate) const fn max_flows_per_entity(&self) -> usize {
        self.flows_per_entity
    }

    /// What was before this is forgotten.
    pub(crate) fn since(&self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.age).unwrap_or(Timestamp::MIN)
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self::new()
    }
}
