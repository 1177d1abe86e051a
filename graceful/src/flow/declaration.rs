//! The declaration of a handler, which all its flows share.

use std::{ops::Deref, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Options, not_plain, stored::is_default};
use crate::{escape::is_plain, text::Text};

/// The declaration of a handler, which all its flows share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    #[serde(default)]
    pub handler: Text,
    /// The handler's identity.
    #[serde(default, skip_serializing_if = "is_default")]
    pub identity: Identity,
    /// The incident that it shares with other handlers; empty if its incidents are its own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub incident: Text,
    /// The former identities, whose incidents a success closes, too.
    #[serde(default, skip_serializing_if = "is_default")]
    pub was: Tags,
    pub pattern: Text,
    /// Empty if there is no event.
    #[serde(default, skip_serializing_if = "is_default")]
    pub event: Text,
    #[serde(default, skip_serializing_if = "is_default")]
    pub failed: Text,
    /// Empty if a success relates the entity to its flow only.
    #[serde(default, skip_serializing_if = "is_default")]
    pub relation: Text,
    /// The pattern of the entity that `to` names; empty if there is none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub to_pattern: Text,
    #[serde(default, skip_serializing_if = "is_default")]
    pub tags: Tags,
    #[serde(default, skip_serializing_if = "is_default")]
    pub options: Options,
}

impl Declaration {
    /// What no name may hold. The attribute's are checked when they are compiled, those of the manual path at the call.
    pub(crate) fn fault(&self) -> Option<String> {
        let names = [
            ("pattern", &self.pattern),
            ("event", &self.event),
            ("event of a failure", &self.failed),
            ("relation", &self.relation),
            ("related pattern", &self.to_pattern),
        ];
        names.into_iter().find(|(_, name)| !is_plain(name)).map(|(what, _)| not_plain(what))
    }
}

/// A declaration: either static, so that a call copies nothing of it, or made at run time.
#[derive(Clone, Debug)]
pub enum Declared {
    Static(&'static Declaration),
    Owned(Arc<Declaration>),
}

impl Declared {
    /// Borrows the declaration mutably; a static or shared one is copied first.
    pub fn to_mut(&mut self) -> &mut Declaration {
        if let Self::Static(declaration) = self {
            *self = Self::Owned(Arc::new(declaration.clone()));
        }
        match self {
            Self::Owned(declaration) => Arc::make_mut(declaration),
            Self::Static(_) => unreachable!("it was copied"),
        }
    }
}

impl Deref for Declared {
    type Target = Declaration;

    fn deref(&self) -> &Declaration {
        match self {
            Self::Static(declaration) => declaration,
            Self::Owned(declaration) => declaration,
        }
    }
}

impl Default for Declared {
    fn default() -> Self {
        Self::Owned(Arc::default())
    }
}

impl Serialize for Declared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Declared {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Declaration::deserialize(deserializer).map(|declaration| Self::Owned(Arc::new(declaration)))
    }
}

/// The handler's identity: module path, type, trait and function, or its declared name.
#[derive(Clone, Debug)]
pub enum Identity {
    /// A function that the steps call, because a `const` cannot contain the identity.
    Item(fn() -> &'static str),
    Name(Text),
}

impl Identity {
    pub fn name(&self) -> Text {
        match self {
            Self::Item(path) => Text::new_static(path()),
            Self::Name(name) => name.clone(),
        }
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::Name(Text::default())
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Identity {}

impl Serialize for Identity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.name().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Identity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(Self::Name)
    }
}

/// The labels on every step: static or owned.
#[derive(Clone, Debug)]
pub enum Tags {
    Static(&'static [&'static str]),
    Owned(Arc<[Text]>),
}

impl Tags {
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let (fixed, owned) = match self {
            Self::Static(tags) => (*tags, [].as_slice()),
            Self::Owned(tags) => ([].as_slice(), tags.as_ref()),
        };
        fixed.iter().copied().chain(owned.iter().map(Text::as_str))
    }
}

impl Default for Tags {
    fn default() -> Self {
        Self::Static(&[])
    }
}

impl PartialEq for Tags {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Tags {}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(|tags: Vec<Text>| Self::Owned(tags.into()))
    }
}
