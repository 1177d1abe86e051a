//! What was expected beside what was recorded.

use graceful::Step;

use super::Recorded;

/// The widest that a column of the table becomes; what is longer goes on in the next line.
const WIDTH: usize = 48;

/// Panics unless each step did what is expected of it: `None` expects nothing of it, and an empty text that it did nothing.
#[track_caller]
pub(super) fn assert(recorded: &Recorded, expected: impl Fn(Step) -> Option<String>) {
    let rows: Vec<_> = Step::ALL.into_iter().map(|step| Row::of(recorded, step, expected(step))).collect();
    let differs = rows.iter().any(|row| row.differs);
    assert!(!differs, "a step did not do what was expected\n{}", table(recorded, &rows));
}

struct Row {
    step: Step,
    expected: String,
    recorded: String,
    differs: bool,
}

impl Row {
    fn of(recorded: &Recorded, step: Step, expected: Option<String>) -> Self {
        let did = recorded.step(step);
        let differs = match expected.as_deref() {
            None => false,
            Some("") => recorded.acted(step),
            Some(expected) => expected != did,
        };
        let expected = match expected {
            None => String::new(),
            Some(expected) if expected.is_empty() => "(nothing)".to_owned(),
            Some(expected) => expected,
        };
        Self { step, expected, recorded: did, differs }
    }
}

fn table(recorded: &Recorded, rows: &[Row]) -> String {
    let longest = rows.iter().map(|row| row.expected.chars().count()).max().unwrap_or_default();
    let width = longest.clamp("expected".len(), WIDTH);
    let mut table = recorded.report.heading();
    let mut line = |mark: &str, step: &str, expected: &str, recorded: &str| {
        let line = format!("  {mark} {step:<9} {expected:<width$}  {recorded}");
        table.push('\n');
        table.push_str(line.trim_end());
    };
    line(" ", "step", "expected", "recorded");
    for row in rows {
        let (expected, recorded) = (wrapped(&row.expected), wrapped(&row.recorded));
        let part = |parts: &[String], index: usize| parts.get(index).cloned().unwrap_or_default();
        for index in 0..expected.len().max(recorded.len()) {
            let (mark, step) = match index {
                0 => (if row.differs { "!" } else { " " }, row.step.as_str()),
                _ => (" ", ""),
            };
            line(mark, step, &part(&expected, index), &part(&recorded, index));
        }
    }
    table
}

fn wrapped(text: &str) -> Vec<String> {
    let letters: Vec<_> = text.chars().collect();
    letters.chunks(WIDTH).map(|part| part.iter().collect()).collect()
}
