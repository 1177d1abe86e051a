//! One place in a value.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// What is said of one place in a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) presence: Presence,
    /// Empty if nothing is said.
    pub(crate) types: BTreeSet<Type>,
    /// Of integers.
    pub(crate) bounds: Bounds,
    /// Further constraints by their keyword in JSON Schema, such as `format` and `maxLength`.
    pub(crate) constraints: BTreeMap<String, String>,
    /// Unknown fields are refused when it is read.
    pub(crate) is_closed: bool,
    /// The value has the shape of that place around it.
    pub(crate) same_as: Option<String>,
}

/// Whether the place exists in each value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It is no field.
    #[default]
    Always,
    Required,
    Optional,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Type {
    Any,
    Array,
    Boolean,
    Integer,
    Number,
    Object,
    String,
    Null,
    /// The attribute does not see the type.
    Opaque,
    /// The type has no schema.
    Unchecked,
}

/// The smallest and the largest integer, where there is a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) least: Option<i128>,
    pub(crate) most: Option<i128>,
}

impl Bounds {
    /// Those of an integer type of Rust, by its `format`.
    pub(crate) fn of_format(format: &str) -> Option<Self> {
        let between = |least: i128, most: i128| Some(Self { least: Some(least), most: Some(most) });
        match format {
            "int8" => between(i8::MIN.into(), i8::MAX.into()),
            "int16" => between(i16::MIN.into(), i16::MAX.into()),
            "int32" => between(i32::MIN.into(), i32::MAX.into()),
            // `isize` is `int`; it has 64 bits wherever services run.
            "int64" | "int" => between(i64::MIN.into(), i64::MAX.into()),
            "int128" => between(i128::MIN, i128::MAX),
            "uint8" => between(0, u8::MAX.into()),
            "uint16" => between(0, u16::MAX.into()),
            "uint32" => between(0, u32::MAX.into()),
            "uint64" | "uint" => between(0, u64::MAX.into()),
            "uint128" => Some(Self { least: Some(0), most: None }),
            _ => None,
        }
    }

    pub(crate) fn narrowed(self, other: Self) -> Self {
        let least = self.least.into_iter().chain(other.least).max();
        let most = self.most.into_iter().chain(other.most).min();
        Self { least, most }
    }

    /// Whether each integer within these is within the others.
    pub(crate) fn are_within(self, others: Self) -> bool {
        others.least.is_none_or(|limit| self.least.is_some_and(|least| least >= limit))
            && others.most.is_none_or(|limit| self.most.is_some_and(|most| most <= limit))
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |limit: Option<i128>| limit.map(|limit| limit.to_string()).unwrap_or_default();
        write!(f, "{}..{}", text(self.least), text(self.most))
    }
}

impl Type {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Any, "any"),
        (Self::Array, "array"),
        (Self::Boolean, "boolean"),
        (Self::Integer, "integer"),
        (Self::Number, "number"),
        (Self::Object, "object"),
        (Self::String, "string"),
        (Self::Null, "null"),
        (Self::Opaque, "opaque"),
        (Self::Unchecked, "unchecked"),
    ];

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == word).map(|(found, _)| *found)
    }

    pub(crate) fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(of, _)| *of == self).map_or("", |(_, name)| name)
    }
}

impl Node {
    pub(crate) fn of(types: impl IntoIterator<Item = Type>) -> Self {
        Self { types: types.into_iter().collect(), ..Self::default() }
    }

    pub(crate) fn types(&self) -> String {
        match self.types.is_empty() {
            true => Type::Any.as_str().to_owned(),
            false => self.types.iter().map(|of| of.as_str()).collect::<Vec<_>>().join("|"),
        }
    }

    /// Parses what `Display` has written; what a newer version may have added is ignored.
    pub(crate) fn parse(text: &str) -> Self {
        let mut node = Self::default();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            match (word, word.split_once('='), word.split_once("..")) {
                ("required", ..) => node.presence = Presence::Required,
                ("optional", ..) => node.presence = Presence::Optional,
                ("closed", ..) => node.is_closed = true,
                (_, Some(("same", place)), _) => node.same_as = Some(place.to_owned()),
                (_, Some((name, value)), _) => {
                    node.constraints.insert(name.to_owned(), super::named(value));
                }
                (_, None, Some((least, most))) => {
                    node.bounds = Bounds { least: least.parse().ok(), most: most.parse().ok() };
                }
                _ => node.types.extend(word.split('|').filter_map(Type::parse)),
            }
        }
        node.types.remove(&Type::Any);
        node
    }
}

/// The words after the path in a lock.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.same_as {
            Some(place) => write!(f, "same={place}")?,
            None => f.write_str(&self.types())?,
        }
        match self.presence {
            Presence::Always => {}
            Presence::Required => f.write_str(" required")?,
            Presence::Optional => f.write_str(" optional")?,
        }
        if self.bounds != Bounds::default() {
            write!(f, " {}", self.bounds)?;
        }
        if self.is_closed {
            f.write_str(" closed")?;
        }
        self.constraints.iter().try_for_each(|(name, value)| write!(f, " {name}={}", super::part(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_is_read_as_it_was_written() {
        let mut node = Node::of([Type::String, Type::Null]);
        node.presence = Presence::Optional;
        node.constraints = [("pattern".to_owned(), "^a b=[0-9]..$".to_owned())].into();
        let mut number = Node::of([Type::Integer]);
        number.bounds = Bounds::of_format("uint64").unwrap();
        let recursive = Node { same_as: Some("data.tree".to_owned()), ..Node::default() };
        let closed = Node { is_closed: true, ..Node::of([Type::Object]) };
        for node in [node, number, recursive, closed, Node::default()] {
            assert_eq!(Node::parse(&node.to_string()), node, "{node}");
        }
    }

    #[test]
    fn bounds_within_others_are_narrower() {
        let of = |format| Bounds::of_format(format).unwrap();
        assert!(of("uint32").are_within(of("uint64")) && !of("uint64").are_within(of("uint32")));
        assert!(of("uint8").are_within(of("int16")) && !of("int8").are_within(of("uint16")));
        assert!(!Bounds::default().are_within(of("int64")) && of("int64").are_within(Bounds::default()));
        assert_eq!(of("uint64").most, Some(18_446_744_073_709_551_615));
    }
}
