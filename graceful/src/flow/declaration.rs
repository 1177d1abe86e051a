//! What a handler's declaration says: the same for every flow of its handler.

use std::{ops::Deref, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

use super::Options;

/// What a handler's declaration says: the same for every flow of its handler.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    pub handler: SmolStr,
    pub pattern: SmolStr,
    /// Empty: there is no event.
    pub event: SmolStr,
    pub failed: SmolStr,
    /// Empty: a success relates the entity to its flow only.
    pub relation: SmolStr,
    /// The pattern of what `to` names; empty: it names no entity of a pattern.
    #[serde(default)]
    pub to_pattern: SmolStr,
    pub tags: Tags,
    pub options: Options,
}

/// A declaration: in the program's text, so that a call copies nothing of it, or made at run time.
#[derive(Clone, Debug)]
pub enum Declared {
    Static(&'static Declaration),
    Owned(Arc<Declaration>),
}

impl Declared {
    /// To change it: one in the program's text is copied first.
    #[cfg(all(test, feature = "memory"))]
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

/// Labels on every step: in the program's text, or owned.
#[derive(Clone, Debug)]
pub enum Tags {
    Static(&'static [&'static str]),
    Owned(Arc<[SmolStr]>),
}

impl Tags {
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let (fixed, owned) = match self {
            Self::Static(tags) => (*tags, [].as_slice()),
            Self::Owned(tags) => ([].as_slice(), tags.as_ref()),
        };
        fixed.iter().copied().chain(owned.iter().map(SmolStr::as_str))
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
        Vec::deserialize(deserializer).map(|tags: Vec<SmolStr>| Self::Owned(tags.into()))
    }
}
