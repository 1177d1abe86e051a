//! Queries and updates as text: constants are syntax, everything else is a term.

use std::fmt::Write as _;

use oxrdf::{Literal, NamedNode, NamedNodeRef, Triple};

/// What a query or an update is made of.
pub trait Part {
    fn write(&self, out: &mut String);
}

/// Syntax is what stands in this program's own text.
impl Part for &'static str {
    fn write(&self, out: &mut String) {
        out.push_str(self);
    }
}

macro_rules! shown {
    ($($term:ty)*) => {$(
        impl Part for $term {
            fn write(&self, out: &mut String) {
                let _ = write!(out, "{self}");
            }
        }
    )*};
}

// Their `Display` is the term as N-Triples and SPARQL write it, escaped.
shown! { NamedNode NamedNodeRef<'_> Literal usize }

impl Part for Vec<Triple> {
    fn write(&self, out: &mut String) {
        for triple in self {
            let _ = writeln!(out, "{triple} .");
        }
    }
}

/// A text that is made of parts, and may be a part of another.
#[derive(Debug, Default)]
pub struct Text(String);

impl Text {
    pub fn of(parts: &[&dyn Part]) -> Self {
        let mut text = String::new();
        for part in parts {
            part.write(&mut text);
        }
        Self(text)
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

impl Part for Text {
    fn write(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}
