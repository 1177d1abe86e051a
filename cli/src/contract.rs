//! The contract of the program: the check against its lock, and its documents.

use std::path::PathBuf;

use graceful::{backends::encoded, catalogue::Catalogue};
use graceful_contract::{AsyncApi, Difference, accept, check, to_json, to_mermaid, to_snapshot};
use serde_json::{Value, json};

use crate::{
    arguments::{AsyncApiOptions, Format},
    exit::{Exit, Problem},
    output::Output,
};

/// What to do with the contract.
#[derive(Debug)]
pub(crate) enum Order {
    Check(PathBuf),
    Accept(Option<String>, PathBuf),
    Print(Format, AsyncApiOptions),
}

impl Order {
    pub(crate) fn carry_out(&self, output: &mut Output) -> Result<Exit, Problem> {
        let catalogue = Catalogue::of_program();
        if catalogue.handlers().is_empty() {
            return Err(Problem::refused(
                "this program has no handlers, so it promises nothing: use the command line of your own service, `graceful_cli::run`",
            ));
        }
        match self {
            Self::Check(lock) => {
                let report = check(&catalogue, lock).map_err(Problem::failed)?;
                let differences = report.differences();
                match output.json {
                    true => output
                        .value(&json!({ "differences": differences.iter().map(value).collect::<Vec<_>>() })),
                    false if report.is_clean() => output.line("the program is that of its lock"),
                    false => differences.iter().for_each(|difference| output.line(&line(difference))),
                }
                Ok(if report.is_clean() { Exit::Done } else { Exit::Failed })
            }
            Self::Accept(fact, lock) => {
                accept(&catalogue, lock, fact.as_deref()).map_err(Problem::failed)?;
                match output.json {
                    true => output.value(&json!({ "accepted": fact })),
                    false => output.line(&format!("{} is written", lock.display())),
                }
                Ok(Exit::Done)
            }
            Self::Print(format, options) => {
                match (format, output.json) {
                    (Format::AsyncApi, _) => output.value(&asyncapi(options).document(&catalogue)),
                    (Format::Json, _) | (_, true) => output.value(&to_json(&catalogue)),
                    (Format::Text, false) => output.line(to_snapshot(&catalogue).trim_end()),
                    (Format::Mermaid, false) => output.line(to_mermaid(&catalogue).trim_end()),
                }
                Ok(Exit::Done)
            }
        }
    }
}

fn asyncapi(options: &AsyncApiOptions) -> AsyncApi {
    // Both are given, or the arguments would have been refused.
    let text = |given: &Option<String>| given.clone().unwrap_or_default();
    let document = AsyncApi::new(text(&options.service), text(&options.version));
    match (&options.protocol, options.address.clone()) {
        (Some(protocol), Some(address)) => document.address(protocol, move |pattern, event| {
            let [pattern, event] = [pattern, event].map(|name| encoded(name).to_string());
            address.replace("{pattern}", &pattern).replace("{event}", &event)
        }),
        _ => document,
    }
}

fn line(difference: &Difference) -> String {
    let word = if difference.is_incompatible() { "error" } else { "not locked" };
    format!("{word}: {difference}")
}

fn value(difference: &Difference) -> Value {
    let (file, line) = difference.place();
    json!({
        "incompatible": difference.is_incompatible(),
        "fact": difference.fact(),
        "file": file.display().to_string(),
        "line": line,
        "text": difference.to_string(),
    })
}
