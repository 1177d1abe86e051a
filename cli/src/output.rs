//! The standard output with the result, and the standard error with everything else.

use std::{
    borrow::Cow,
    env,
    fmt::Write as _,
    io::{self, IsTerminal as _, Write as _},
};

use graceful::backends::escaped;
use serde_json::Value;

use crate::exit::Problem;

/// The longest text in a cell of a table, in characters.
const MAX_CELL: usize = 100;

/// Writes a line to the standard error, which may be closed.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes a text to the standard output, which may be closed.
pub(crate) fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// A colour, by its number among the escape sequences of terminals.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Colour {
    Bold = 1,
    Red = 31,
    Green = 32,
    Yellow = 33,
}

/// The standard output. After its reader has closed the pipe, nothing is written, and this is no error.
#[derive(Debug)]
pub(crate) struct Output {
    pub json: bool,
    has_colours: bool,
    broken: Option<io::Error>,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let has_colours = !json && io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb;
        Self { json, has_colours, broken: None }
    }

    pub(crate) fn line(&mut self, text: &str) {
        if self.broken.is_none() {
            self.broken = writeln!(io::stdout().lock(), "{text}").err();
        }
    }

    /// Writes a JSON document.
    pub(crate) fn value(&mut self, value: &Value) {
        let text = format!("{value:#}");
        self.line(&escaped_json(&text));
    }

    /// Writes rows below their headings, in aligned columns. Their texts are escaped and cut.
    pub(crate) fn table<const N: usize>(&mut self, headings: [&str; N], rows: &[[Cell; N]]) {
        let mut widths = headings.map(str::len);
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.chars().count());
            }
        }
        let headings = headings.map(|heading| Cell::new(heading).colour(Colour::Bold));
        for row in std::iter::once(&headings).chain(rows) {
            let mut line = String::new();
            for (place, (width, cell)) in widths.iter().zip(row).enumerate() {
                line.push_str(&self.coloured(&cell.text, cell.colour));
                if place + 1 < N {
                    line.extend(std::iter::repeat_n(' ', width + 2 - cell.text.chars().count()));
                }
            }
            self.line(line.trim_end());
        }
    }

    pub(crate) fn coloured<'a>(&self, text: &'a str, colour: Option<Colour>) -> Cow<'a, str> {
        match colour {
            Some(colour) if self.has_colours => format!("\x1b[{}m{text}\x1b[0m", colour as u8).into(),
            _ => text.into(),
        }
    }

    /// Whether nobody reads any more.
    pub(crate) const fn is_closed(&self) -> bool {
        self.broken.is_some()
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    /// Fails if the result could not be written, unless its reader has closed the pipe.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        if self.broken.is_none() {
            self.broken = io::stdout().lock().flush().err();
        }
        match self.broken {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Problem::failed(format_args!("the result cannot be written: {error}")))
            }
            _ => Ok(()),
        }
    }
}

/// A text in a table.
#[derive(Debug)]
pub(crate) struct Cell {
    text: String,
    colour: Option<Colour>,
}

impl Cell {
    #[allow(clippy::needless_pass_by_value, reason = "callers have texts and values")]
    pub(crate) fn new(text: impl ToString) -> Self {
        let text = text.to_string();
        let cut = text.char_indices().nth(MAX_CELL).map(|(place, _)| format!("{}…", &text[..place]));
        let text = cut.unwrap_or(text);
        Self { text: escaped(&text).into_owned(), colour: None }
    }

    pub(crate) fn optional(text: Option<impl ToString>) -> Self {
        text.map_or_else(|| Self::new("-"), Self::new)
    }

    pub(crate) fn colour(self, colour: impl Into<Option<Colour>>) -> Self {
        Self { colour: colour.into(), ..self }
    }
}

/// JSON escapes some control characters only. Such a character can only be in a text, and none is outside of the BMP.
fn escaped_json(text: &str) -> Cow<'_, str> {
    let is_plain = |character: char| {
        character == '\n' || matches!(escaped(character.encode_utf8(&mut [0; 4])), Cow::Borrowed(_))
    };
    if text.chars().all(is_plain) {
        return text.into();
    }
    let mut whole = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match is_plain(character) {
            true => whole.push(character),
            false => drop(write!(whole, "\\u{:04x}", u32::from(character))),
        }
    }
    whole.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_without_control_and_bidirectional_characters_is_the_same_value() {
        let value = json!({ "error": "a\u{202e}b\u{85}\n\u{1b}[31mü\\" });
        let text = format!("{value:#}");
        let escaped = escaped_json(&text);
        assert!(escaped.contains("a\\u202eb\\u0085\\n\\u001b[31mü\\\\"), "{escaped}");
        assert_eq!(serde_json::from_str::<Value>(&escaped).unwrap(), value);
    }

    #[test]
    fn cell_is_cut_and_escaped() {
        assert_eq!(Cell::new("a\u{202e}\x1b").text, "a\\u{202e}\\u{1b}");
        assert_eq!(Cell::new("ü".repeat(101)).text, format!("{}…", "ü".repeat(100)));
    }
}
