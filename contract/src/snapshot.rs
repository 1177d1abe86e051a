//! The catalogue as a text for reviews.

use std::fmt::Write as _;

use graceful::catalogue::{Catalogue, CataloguedHandler, PayloadType};

/// A text with some lines for each handler, by identity. It has no line numbers, so a change of other code leaves it as it is.
///
/// ```
/// use graceful::catalogue::Catalogue;
/// assert_eq!(graceful_contract::to_snapshot(&Catalogue::default()), "");
/// ```
pub fn to_snapshot(catalogue: &Catalogue) -> String {
    let mut text = String::new();
    for listed in catalogue.handlers() {
        // To write into a string does not fail.
        let _ = handler(&mut text, listed);
    }
    text
}

fn handler(text: &mut String, listed: &CataloguedHandler) -> std::fmt::Result {
    writeln!(text, "{}", listed.identity)?;
    let pattern = if listed.pattern.is_empty() { "known at a call" } else { listed.pattern };
    let key = listed.key.map(|key| format!(", key {}", if key.is_empty() { "of any form" } else { key }));
    let access = match (listed.reads, listed.writes()) {
        (true, _) => ", reads",
        (_, true) => ", writes",
        _ => "",
    };
    writeln!(text, "  pattern {pattern}{}{access}, {}", key.unwrap_or_default(), listed.delivery)?;
    for (what, names) in [("was", listed.was), ("depends on", listed.depends_on), ("touches", listed.touches)]
    {
        if !names.is_empty() {
            writeln!(text, "  {what} {}", names.join(", "))?;
        }
    }
    if listed.is_idempotent {
        writeln!(text, "  idempotent")?;
    }
    if let Some(event) = listed.subscribes {
        writeln!(text, "  subscribes to {event}")?;
    }
    if let Some(received) = &listed.receives {
        writeln!(text, "  receives: {}", payload(received))?;
    }
    for (what, steps) in [("steps", listed.declared), ("required", listed.required)] {
        if !steps.is_empty() {
            writeln!(
                text,
                "  {what} {}",
                steps.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            )?;
        }
    }
    if let Some(event) = &listed.event {
        writeln!(text, "  event {}: {}", event.name, payload(&event.payload))?;
        writeln!(text, "  event {}", event.failed)?;
    }
    if let Some(stored) = &listed.stored {
        writeln!(text, "  stored: {}", payload(stored))?;
    }
    for own in listed.codes.own() {
        writeln!(text, "  code {}: {}", own.code, own.message.unwrap_or(own.code.text()))?;
    }
    let wrapped: Vec<_> = listed.codes.through_wrapped().map(|code| code.to_string()).collect();
    if !wrapped.is_empty() {
        writeln!(text, "  codes of wrapped errors {}", wrapped.join(", "))?;
    }
    if listed.codes.is_any() {
        writeln!(text, "  any code")?;
    }
    Ok(())
}

fn payload(of: &PayloadType) -> String {
    match of {
        PayloadType::Nothing => "null".to_owned(),
        PayloadType::Opaque(reason) => format!("opaque, since {reason}"),
        PayloadType::Unchecked => "not checked, since it has no schema".to_owned(),
        _ => "with a schema".to_owned(),
    }
}
