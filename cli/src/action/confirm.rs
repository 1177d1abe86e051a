//! The confirmation of an action.

use std::{
    fmt::Write as _,
    io::{self, BufRead, IsTerminal as _},
};

use graceful::backends::escaped;

use super::{
    Action,
    selection::{Selection, Targeted},
};
use crate::{exit::Problem, output::note};

/// Whether somebody can read the question and answer it.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks on the terminal. Anything but the expected answer is a refusal.
pub(super) fn ask(action: Action, targeted: &Targeted, selection: &Selection) -> Result<(), Problem> {
    note(&question(action, targeted, selection));
    let expected = expected(selection);
    note(&format!("type {expected} to go on:"));
    answered(&mut io::stdin().lock(), &expected)
}

/// The exact number, so that nobody confirms without having read it.
fn expected(selection: &Selection) -> String {
    match selection.ids.len() {
        1 => "yes".to_owned(),
        number => number.to_string(),
    }
}

fn question(action: Action, targeted: &Targeted, selection: &Selection) -> String {
    let number = selection.ids.len();
    let mut text = format!(
        "{} {number} flow{} ({})",
        action.as_str(),
        if number == 1 { "" } else { "s" },
        targeted.described()
    );
    for flow in &selection.samples {
        let error = flow.error().map(|error| format!(": {}", escaped(error))).unwrap_or_default();
        let error: String = error.chars().take(100).collect();
        let _ = write!(text, "\n  {} {} {}{error}", flow.id, flow.state, escaped(&flow.entity));
    }
    if number > selection.samples.len() {
        let _ = write!(text, "\n  … and {} more", number - selection.samples.len());
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
    use graceful::backends::{FlowFilter, FlowState, FlowSummary, Timestamp, Uuid};

    use super::*;

    fn selection(number: u128) -> Selection {
        let at = Timestamp::UNIX_EPOCH;
        let flow =
            |id| FlowSummary::new(Uuid::from_u128(id), "users::user:\u{202e}42", "", FlowState::Dead, at);
        (1..=number).map(flow).collect()
    }

    #[test]
    fn only_the_exact_number_confirms() {
        assert_eq!(expected(&selection(12)), "12");
        answered(&mut "12\n".as_bytes(), "12").unwrap();
        for wrong in ["", "\n", "y\n", "yes\n", "1\n", "120\n"] {
            answered(&mut wrong.as_bytes(), "12").unwrap_err();
        }
        assert_eq!(expected(&selection(1)), "yes");
    }

    #[test]
    fn question_names_the_number_the_filter_and_ten_flows() {
        let targeted = Targeted::Filter(FlowFilter::from(FlowState::Dead));
        let text = question(Action::Discard, &targeted, &selection(12));
        assert!(text.starts_with("discard 12 flows (state=dead)\n"), "{text}");
        assert!(text.contains("dead users::user:\\u{202e}42"), "{text}");
        assert_eq!(text.lines().count(), 12);
        assert!(text.ends_with("… and 2 more"), "{text}");
    }
}
