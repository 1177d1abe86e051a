//! The confirmation of an action.

use std::{
    fmt::{Display, Write as _},
    io::{self, BufRead, IsTerminal as _},
};

use graceful::{
    backends::{Action, escaped},
    operations::Prepared,
};

use crate::{exit::Problem, output::note};

/// Refuses an action that asks, if nobody can read the question and answer it.
pub(crate) fn check(action: impl Display, is_confirmed: bool) -> Result<(), Problem> {
    match is_confirmed || io::stdin().is_terminal() && io::stderr().is_terminal() {
        true => Ok(()),
        false => Err(Problem::refused(format_args!(
            "`{action}` asks for a confirmation, and there is no terminal to answer it; to act without one: --yes"
        ))),
    }
}

/// Asks about what cannot be undone.
pub(crate) fn ask_about(question: &str) -> Result<(), Problem> {
    note(question);
    note("type yes to go on:");
    answered(&mut io::stdin().lock(), "yes")
}

/// Asks on the terminal. Anything but the expected answer is a refusal.
pub(super) fn ask(prepared: &Prepared) -> Result<(), Problem> {
    note(&question(prepared));
    let expected = expected(prepared);
    note(&format!("type {expected} to go on:"));
    answered(&mut io::stdin().lock(), &expected)
}

/// The exact number, so that nobody confirms without having read it.
fn expected(prepared: &Prepared) -> String {
    match prepared.operation.selected {
        1 => "yes".to_owned(),
        number => number.to_string(),
    }
}

fn question(Prepared { operation, samples, .. }: &Prepared) -> String {
    let number = operation.selected;
    let mut text = format!(
        "{} {number} flow{} ({})",
        operation.action,
        if number == 1 { "" } else { "s" },
        escaped(&operation.selection)
    );
    for flow in samples {
        let error = flow.error().map(|error| format!(": {}", escaped(error))).unwrap_or_default();
        let error: String = error.chars().take(100).collect();
        let _ = write!(text, "\n  {} {} {}{error}", flow.id, flow.state, escaped(&flow.entity));
    }
    let shown = samples.len() as u64;
    if number > shown {
        let _ = write!(text, "\n  … and {} more", number - shown);
    }
    if operation.older > 0 && operation.action == Action::Resubmit {
        let _ = write!(
            text,
            "\n{} of them are older than a completed flow of their entity: their steps may bring an old state back",
            operation.older
        );
    }
    text
}

fn answered(input: &mut impl BufRead, expected: &str) -> Result<(), Problem> {
    let mut answer = String::new();
    // What cannot be read is no answer.
    let _ = input.read_line(&mut answer);
    match answer.trim() == expected {
        true => Ok(()),
        false => {
            Err(Problem::refused(format_args!("not confirmed: expected {expected}; nothing was changed")))
        }
    }
}

#[cfg(test)]
mod tests {
    use graceful::{
        Orchestrator,
        backends::{FlowFilter, FlowState, FlowStore as _, Lane, QueuedFlow, Uuid, memory},
        operations::{self, Selection},
    };

    use super::*;

    async fn prepared(number: u128) -> Prepared {
        let store = memory::Flows::new();
        for id in 1..=number {
            let entity = format!("users::user:\u{202e}{id}");
            let flow = QueuedFlow::new(Uuid::from_u128(id), entity, "", Lane::default(), Vec::new());
            store.enqueue(flow).await.unwrap();
        }
        let orchestrator = Orchestrator::builder().flows(store).build().unwrap();
        let selection = Selection::Filter(FlowFilter::from(FlowState::Queued));
        operations::prepare(&orchestrator, Action::Discard, &selection, "ada").await.unwrap()
    }

    #[tokio::test]
    async fn only_the_exact_number_confirms() {
        assert_eq!(expected(&prepared(12).await), "12");
        answered(&mut "12\n".as_bytes(), "12").unwrap();
        for wrong in ["", "\n", "y\n", "yes\n", "1\n", "120\n"] {
            answered(&mut wrong.as_bytes(), "12").unwrap_err();
        }
        assert_eq!(expected(&prepared(1).await), "yes");
    }

    #[tokio::test]
    async fn question_names_the_number_the_filter_and_ten_flows() {
        let mut prepared = prepared(12).await;
        let text = question(&prepared);
        assert!(text.starts_with("discard 12 flows (state=queued)\n"), "{text}");
        assert!(text.contains("queued users::user:\\u{202e}"), "{text}");
        assert_eq!(text.lines().count(), 12);
        assert!(text.ends_with("… and 2 more"), "{text}");
        (prepared.operation.action, prepared.operation.older) = (Action::Resubmit, 3);
        assert!(question(&prepared).contains("3 of them are older than a completed flow"));
    }
}
