//! Words that stand for a choice.

use darling::Result;
use syn::{Expr, LitStr};

use super::value::{At, last_name, text};
use crate::{
    errors::{nearest, wrong},
    words::Words,
};

/// One of a few words, as the variant that it names.
pub(crate) fn choice<W: Words>(value: &Expr) -> Result<At<W>> {
    let all: Vec<_> = W::ALL.iter().map(|choice| choice.word()).collect();
    let list = format!("\"{}\"", all.join("\", \""));
    let Some(text) = text(value) else {
        let near = last_name(value).and_then(|word| nearest(&word, &all));
        let fix = near.map_or(format!("one of {list}"), |near| format!("did you mean \"{near}\"?"));
        return Err(wrong(value, format!("expected a text in quotes: {fix}")));
    };
    let given = text.value();
    match W::ALL.iter().find(|choice| choice.word() == given) {
        Some(choice) => Ok(At { value: *choice, span: text.span() }),
        None => {
            let fix = nearest(&given, &all).map_or_else(
                || format!("expected one of {list}"),
                |near| format!("did you mean \"{near}\"?"),
            );
            Err(wrong(text, format!("unknown value \"{given}\": {fix}")))
        }
    }
}

/// What is written, bare or in quotes, and the word that it is near.
pub(crate) fn meant(value: &Expr, words: &[&'static str]) -> Option<(String, &'static str)> {
    let given = match value {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        value => text(value).map(LitStr::value),
    }?;
    nearest(&given, words).map(|near| (given, near))
}
