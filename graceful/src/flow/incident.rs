//! The incident that an alert and a review job belong to.

use std::fmt;

use crate::{
    code::Code,
    key::{Key, KeySpace, Part},
    text::Text,
};

/// The incident that an alert and a review job belong to: an entity, and the handler that failed.
///
/// Only a success of the same owner on the same entity closes it: a successful read does not resolve the alert of a failed payment.
/// The owner is the handler's identity, or the name that handlers share by `incident = "…"`.
///
/// In a [storm](Self::storm), the alerts and the review jobs of further entities are counted on a summary.
///
/// Its `Display` is the name that backends use: the entity's name, `#`, and the encoded owner. Different incidents have different names.
///
/// ```
/// use graceful::{Incident, Key};
///
/// let incident = Incident::new(Key::new("shop", None, "order", "42"), "shop::pay");
/// assert_eq!(incident.to_string(), "shop::order:42#shop%3A%3Apay");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Incident {
    entity: Key,
    owner: Text,
}

impl Incident {
    /// Creates the incident of an entity and an owner.
    ///
    /// ```
    /// # use graceful::{Incident, Key};
    /// let order = Key::new("shop", None, "order", "42");
    /// assert_ne!(Incident::new(order.clone(), "shop::pay"), Incident::new(order, "shop::read"));
    /// ```
    pub fn new(entity: Key, owner: impl Into<Text>) -> Self {
        Self { entity, owner: owner.into() }
    }

    /// The entity.
    ///
    /// ```
    /// # use graceful::{Incident, Key};
    /// let order = Key::new("shop", None, "order", "42");
    /// assert_eq!(*Incident::new(order.clone(), "shop::pay").entity(), order);
    /// ```
    pub fn entity(&self) -> &Key {
        &self.entity
    }

    /// The handler's identity or the shared name; empty if neither is known.
    ///
    /// ```
    /// # use graceful::{Incident, Key};
    /// assert_eq!(Incident::new(Key::new("shop", None, "order", "42"), "shop::pay").owner(), "shop::pay");
    /// ```
    pub fn owner(&self) -> &Text {
        &self.owner
    }

    /// The incident of the summary on which further alerts and review jobs are counted in a *storm*: if more entities than
    /// [`STORM_LIMIT`](crate::backends::STORM_LIMIT), of one service and pattern, fail with this code under this owner. It is the incident
    /// of no entity, whatever their ids are.
    ///
    /// ```
    /// # use graceful::{Code, Incident, Key};
    /// let of = |id| Incident::new(Key::new("shop", Some("acme"), "order", id), "shop::pay");
    /// let storm = of("42").storm(Code::Unavailable);
    /// assert_eq!(storm.to_string(), "shop::order:UNAVAILABLE:storm#shop%3A%3Apay");
    /// assert_eq!(storm, of("43").storm(Code::Unavailable));
    /// ```
    #[must_use]
    pub fn storm(&self, code: Code) -> Self {
        let entity = Key::of_parts([self.entity.service(), "", self.entity.pattern(), code.as_str()]);
        Self { entity: entity.in_space(KeySpace::Storm), owner: self.owner.clone() }
    }

    /// Whether this is the incident of a summary: see [`storm`](Self::storm).
    ///
    /// ```
    /// # use graceful::{Code, Incident, Key};
    /// let incident = Incident::new(Key::new("shop", None, "order", "42"), "shop::pay");
    /// assert!(!incident.is_storm() && incident.storm(Code::Unavailable).is_storm());
    /// ```
    pub fn is_storm(&self) -> bool {
        self.entity.space() == KeySpace::Storm
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.owner.is_empty() {
            true => self.entity.fmt(f),
            false => write!(f, "{}#{}", self.entity, Part(&self.owner)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incident_with_long_names_fits_an_index_and_stays_distinct() {
        let long = |end: &str| "é".repeat(5000) + end;
        let of = |id: &str, owner: &str| {
            Incident::new(Key::new(long(""), Some(&long("")), long(""), id), owner).to_string()
        };
        let names = [of("1", &long("1")), of("1", &long("2")), of(&long(""), &long("1")), of("1", "")];
        assert!(names.iter().all(|name| name.len() < 2700), "{names:?}");
        assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn storm_is_no_entity_and_differs_by_service_pattern_owner_and_code() {
        let of = |service, pattern, owner, code| {
            Incident::new(Key::new(service, None, pattern, "42"), owner).storm(code)
        };
        let storms = [
            of("shop", "order", "pay", Code::Internal),
            of("bank", "order", "pay", Code::Internal),
            of("shop", "invoice", "pay", Code::Internal),
            of("shop", "order", "read", Code::Internal),
            of("shop", "order", "pay", Code::DataLoss),
            Incident::new(Key::new("shop", None, "order", "INTERNAL"), "pay"),
            Incident::new(Key::new("shop", None, "order", "INTERNAL:storm"), "pay"),
        ];
        let names: std::collections::BTreeSet<_> = storms.iter().map(Incident::to_string).collect();
        assert_eq!(names.len(), storms.len(), "{names:?}");
        assert_eq!(storms[0].storm(Code::Internal), storms[0]);
    }
}
