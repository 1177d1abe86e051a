//! Tables, and how a report reads in one.

use graceful::{FlowReport, Step};

use crate::service::{User, UserError};

/// Rows in aligned columns, below their heads.
pub fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = heads.map(|head| head.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |cells: [&str; N]| {
        let cells: Vec<_> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("  {}\n", cells.join("  │ ").trim_end())
    };
    let rule = widths.map(|width| "─".repeat(width)).join("──┼─");
    let rows: String = rows.iter().map(|row| line(row.each_ref().map(String::as_str))).collect();
    format!("{}  {rule}\n{rows}", line(heads))
}

/// A call: what its caller got, and the report of its flow.
pub type Call = (Result<User, UserError>, FlowReport);

/// What each of the nine steps did in two calls of one handler, in the order in which the calls were made.
pub fn both_flows(first: &Call, second: &Call) -> String {
    let shown_row = |step: Step| [step.to_string(), shown(&first.1, step), shown(&second.1, step)];
    let mut rows = Step::ALL.map(shown_row).to_vec();
    rows.push(["the caller got".to_owned(), got(first), got(second)]);
    table(["step", &head(first), &head(second)], &rows)
}

fn head((_, report): &Call) -> String {
    match report.flow().is_success() {
        true => "success flow: Ok".to_owned(),
        false => format!("error flow: Err, {}", report.flow().code()),
    }
}

fn got((result, report): &Call) -> String {
    match result {
        Ok(user) if report.flow().fallback_applied() => format!("Ok: {}, as last read", user.name),
        Ok(user) => format!("Ok: {}", user.name),
        Err(error) => format!("Err: {error}"),
    }
}

/// The result of a step, and what it was about.
fn shown(report: &FlowReport, step: Step) -> String {
    let (flow, result) = (report.flow(), report.step(step));
    let about = match step {
        _ if !result.is_done() => None,
        Step::Metadata => flow.metadata().map(|it| format!("score {}, errors {}", it.score, it.error_count)),
        Step::Cache => flow.cache_key().map(|key| key.to_string()),
        Step::Graph if flow.is_success() => Some("succeeded".to_owned()),
        Step::Graph => Some("failed".to_owned()),
        Step::Event => flow.event_name().map(str::to_owned),
        Step::Nexus => Some(flow.registered_pattern().to_string()),
        Step::Audit => flow.actor().map(|actor| format!("by {actor}")),
        Step::Fallback | Step::Schedule | Step::Alert => None,
    };
    about.map_or_else(|| result.to_string(), |about| format!("{result} ({about})"))
}
