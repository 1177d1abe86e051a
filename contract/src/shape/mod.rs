//! The shape of a value: what its JSON Schema says, as one fact for each place in the value. Titles, descriptions, examples, the names of
//! Rust types, and whether a type is referred to or inlined, are no part of it.
//!
//! | path | what is there |
//! |---|---|
//! | `data` | the value |
//! | `data.email` | a field |
//! | `data[]`, `data[0]` | the items of an array, one item of a tuple |
//! | `data{}` | the values of a map |
//! | `data="active"` | a value of an enumeration |
//! | `data\|Paid` | an alternative of an enum |

mod node;
mod walk;

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};

pub(crate) use self::node::{Bounds, Node, Presence, Type};
use self::walk::Walk;

/// The nodes of a value, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape(pub(crate) BTreeMap<String, Node>);

/// The characters that begin a part of a path.
const SEPARATORS: [char; 5] = ['.', '=', '|', '[', '{'];

impl Shape {
    /// The shape of the value at `root` by its schema of draft 07. References point into these definitions.
    pub(crate) fn of(root: &str, schema: &Value, definitions: &Map<String, Value>) -> Self {
        let mut walk = Walk::new(definitions);
        walk.schema(schema, root, Presence::Always);
        Self(walk.nodes)
    }

    /// A value of which only one word is known.
    pub(crate) fn word(root: &str, word: Type) -> Self {
        Self([(root.to_owned(), Node::of([word]))].into())
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Node> {
        self.0.get(path)
    }

    /// Whether there are parts directly below a path that begin with a separator.
    pub(crate) fn has(&self, path: &str, separator: char) -> bool {
        self.parts(path, separator).next().is_some()
    }

    /// The parts directly below a path that begin with a separator.
    pub(crate) fn parts(&self, path: &str, separator: char) -> impl Iterator<Item = (&str, &Node)> {
        let prefix = format!("{path}{separator}");
        let length = prefix.len();
        self.0
            .range(prefix.clone()..)
            .take_while(move |(key, _)| key.starts_with(&prefix))
            .filter(move |(key, _)| !key[length..].contains(SEPARATORS))
            .map(|(key, node)| (key.as_str(), node))
    }

    /// The value at a path where it has this type.
    pub(crate) fn value(&self, path: &str, of: Type) -> Self {
        let mut value = self.moved(path, path);
        if let Some(node) = value.0.get_mut(path) {
            node.types = [of].into();
        }
        value
    }

    /// The value at a path as if it was at another. It exists there in each value.
    pub(crate) fn moved(&self, from: &str, to: &str) -> Self {
        let nodes = self.0.iter().filter(|(path, _)| is_in(path, from));
        let mut moved: BTreeMap<_, _> =
            nodes.map(|(path, node)| (format!("{to}{}", &path[from.len()..]), node.clone())).collect();
        if let Some(node) = moved.get_mut(to) {
            node.presence = Presence::Always;
        }
        Self(moved)
    }
}

/// The path around the last part, and that part's separator; `None` for the root.
pub(crate) fn parent(path: &str) -> Option<(&str, char)> {
    let at = path.rfind(SEPARATORS)?;
    Some((&path[..at], char::from(path.as_bytes()[at])))
}

/// Whether `path` is `of`, or a place in it.
pub(crate) fn is_in(path: &str, of: &str) -> bool {
    path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with(SEPARATORS))
}

/// What would end a part of a path, a word of a line, or a line.
const ENCODED: &AsciiSet =
    &CONTROLS.add(b' ').add(b'%').add(b'.').add(b'=').add(b'|').add(b'[').add(b'{').add(b':').add(b'#');

/// A name as a word of a line.
pub(crate) fn word(name: &str) -> String {
    const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'%');
    let word = utf8_percent_encode(name, ENCODED).to_string();
    // A colon ends the name of a fact.
    word.strip_suffix(':').map_or_else(|| word.clone(), |word| format!("{word}%3A"))
}

/// A name as a part of a path.
pub(crate) fn part(name: &str) -> String {
    utf8_percent_encode(name, ENCODED).to_string()
}

/// A part of a path as it was named.
pub(crate) fn named(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// The name of the definition to which a reference points: `#/definitions/Page%3CUser%3E` is to `Page<User>`.
pub(crate) fn referred(reference: &str) -> Option<String> {
    let pointer = reference.strip_prefix("#/definitions/").filter(|pointer| !pointer.contains('/'))?;
    Some(named(pointer).replace("~1", "/").replace("~0", "~"))
}
