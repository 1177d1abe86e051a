//! The catalogue as a Mermaid flowchart.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use graceful::catalogue::{Catalogue, CataloguedHandler};

/// A flowchart: for each pattern its handlers, who writes and who reads it, and the events of both arms.
///
/// ```
/// use graceful::catalogue::Catalogue;
/// assert_eq!(graceful_contract::to_mermaid(&Catalogue::default()), "flowchart LR\n");
/// ```
pub fn to_mermaid(catalogue: &Catalogue) -> String {
    let handlers = catalogue.handlers();
    let of = |listed: &CataloguedHandler| {
        listed.depends_on.iter().chain(listed.touches).copied().collect::<Vec<_>>()
    };
    let named: BTreeSet<&str> =
        handlers.iter().flat_map(|listed| std::iter::once(listed.pattern).chain(of(listed))).collect();
    let patterns: BTreeMap<&str, usize> = named.into_iter().zip(0..).collect();
    let events: BTreeSet<&str> = handlers
        .iter()
        .flat_map(|listed| listed.event.iter().flat_map(|event| [event.name, event.failed]))
        .filter(|name| !name.is_empty())
        .collect();
    let events: BTreeMap<&str, usize> = events.into_iter().zip(0..).collect();
    let mut lines = vec!["flowchart LR".to_owned()];
    for (pattern, number) in &patterns {
        lines.push(format!(
            "  subgraph pattern{number} [\"{}\"]",
            text(if pattern.is_empty() { "…" } else { pattern })
        ));
        lines.push(format!("    entity{number}[(\"{}\")]", text(pattern)));
        for (index, listed) in handlers.iter().enumerate().filter(|(_, listed)| listed.pattern == *pattern) {
            lines.push(format!("    handler{index}(\"{}\")", text(&listed.identity)));
        }
        lines.push("  end".to_owned());
    }
    for (event, number) in &events {
        lines.push(format!("  event{number}>\"{}\"]", text(event)));
    }
    for (index, listed) in handlers.iter().enumerate() {
        let own = patterns[listed.pattern];
        if listed.reads {
            lines.push(format!("  entity{own} -->|read by| handler{index}"));
        } else if listed.writes() {
            lines.push(format!("  handler{index} -->|writes| entity{own}"));
        }
        lines.extend(
            listed
                .depends_on
                .iter()
                .map(|of| format!("  entity{} -->|read by| handler{index}", patterns[of])),
        );
        lines.extend(
            listed.touches.iter().map(|of| format!("  handler{index} -->|writes| entity{}", patterns[of])),
        );
        for (name, arm) in listed.event.iter().flat_map(|event| [(event.name, "Ok"), (event.failed, "Err")]) {
            if let Some(number) = events.get(name) {
                lines.push(format!("  handler{index} -.->|{arm}| event{number}"));
            }
        }
    }
    lines.iter().fold(String::new(), |mut whole, line| {
        // To write into a string does not fail.
        let _ = writeln!(whole, "{line}");
        whole
    })
}

/// A text in quotes. Mermaid knows entities of HTML there.
fn text(text: &str) -> String {
    let entity = |c: char| match c {
        '"' => "#quot;".to_owned(),
        '#' => "#35;".to_owned(),
        '<' => "#lt;".to_owned(),
        '>' => "#gt;".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(entity).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_with_quotes_and_markup_stays_one_text() {
        assert_eq!(super::text("<a \"b\" #1>"), "#lt;a #quot;b#quot; #35;1#gt;");
    }
}
