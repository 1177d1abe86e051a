//! Small parts of pages: texts, times, links, tables.

use std::time::Duration;

use graceful::backends::{Count, FlowState, FlowSummary, Timestamp, Uuid, escaped};
use maud::{Markup, html};

use crate::request::link_to;

/// A text of a user. Control and bidirectional characters are escaped, and cannot change the text around it.
pub(crate) fn text(value: &str) -> Markup {
    html! { bdi { (escaped(value)) } }
}

/// The beginning of a long text.
pub(crate) fn cut(value: &str, longest: usize) -> Markup {
    match value.char_indices().nth(longest) {
        Some((end, _)) => html! { (text(&value[..end])) "…" },
        None => text(value),
    }
}

/// A text, or a dash.
pub(crate) fn optional(value: Option<&str>) -> Markup {
    match value.filter(|value| !value.is_empty()) {
        Some(value) => text(value),
        None => html! { span.none { "–" } },
    }
}

/// A number that is a lower bound if it could not be counted to its end; a dash if it could not be counted at all.
pub(crate) fn count(count: Option<Count>) -> String {
    count.map_or_else(|| "–".to_owned(), |count| count.to_string())
}

/// A link to a page with a query.
pub(crate) fn link(page: &str, pairs: &[(&str, &str)]) -> String {
    link_to(page, pairs.iter().copied())
}

/// A time, with its age.
pub(crate) fn time(at: Timestamp, now: Timestamp) -> Markup {
    let whole = Timestamp::from_second(at.as_second()).unwrap_or(at);
    html! { time datetime=(at) title=(ago(at, now)) { (whole.to_string().replacen('T', " ", 1)) } }
}

/// How long ago a time is, or how far ahead.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - at.as_second();
    let span = duration(Duration::from_secs(seconds.unsigned_abs()));
    if seconds < 0 { format!("in {span}") } else { format!("{span} ago") }
}

/// A duration by its largest unit, or by two of them.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 if time < Duration::from_millis(1) => format!("{} µs", time.as_micros()),
        0 => format!("{} ms", time.as_millis()),
        1..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// How a state is to be seen at a glance. The text says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Bad,
    Busy,
    Plain,
}

impl Tone {
    const fn class(self) -> &'static str {
        match self {
            Self::Good => "badge good",
            Self::Bad => "badge bad",
            Self::Busy => "badge busy",
            Self::Plain => "badge",
        }
    }
}

pub(crate) fn badge(tone: Tone, content: &Markup) -> Markup {
    html! { span class=(tone.class()) { (content) } }
}

/// The state of a flow as a word.
const fn state_of(flow: &FlowSummary) -> (&'static str, Tone) {
    match flow.state {
        FlowState::Queued if flow.running => ("running", Tone::Busy),
        FlowState::Queued if flow.failed_at.is_some() => ("retrying", Tone::Bad),
        FlowState::Dead => ("dead", Tone::Bad),
        FlowState::Completed => ("completed", Tone::Good),
        FlowState::Discarded => ("discarded", Tone::Plain),
        _ => ("queued", Tone::Plain),
    }
}

pub(crate) fn state_badge(flow: &FlowSummary, live: impl FnOnce(&str) -> Markup) -> Markup {
    let (word, tone) = state_of(flow);
    badge(tone, &live(word))
}

/// The link to the page of an entity, by its full name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EntityLink<'a>(pub(crate) &'a str);

impl maud::Render for EntityLink<'_> {
    fn render(&self) -> Markup {
        html! { a href=(link("entity", &[("entity", self.0)])) { (text(self.0)) } }
    }
}

/// The link to the page of a flow. The end of an id differs most.
pub(crate) fn flow_link(id: Uuid) -> Markup {
    let id = id.to_string();
    html! { a.id.short href=(link("flow", &[("id", &id)])) title=(id) { "…" (id[id.len() - 12..]) } }
}

/// A number of times.
pub(crate) fn times(number: u64) -> String {
    if number == 1 { "once".to_owned() } else { format!("{number} times") }
}

/// The link to the flows of a handler.
pub(crate) fn handler_link(handler: &str) -> Markup {
    let short = handler.rsplit("::").next().unwrap_or(handler);
    html! { a href=(link("flows", &[("handler", handler)])) title=(escaped(handler)) { (text(short)) } }
}

/// A table. Each cell bears the name of its column, for narrow screens.
pub(crate) fn table(caption: &str, columns: &[&str], rows: &[Vec<Markup>]) -> Markup {
    html! {
        @if rows.is_empty() {
            p.none { "Nothing to show: " (caption.to_lowercase()) "." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label=(caption) {
                table {
                    caption.unseen { (caption) }
                    thead { tr { @for column in columns { th scope="col" { (column) } } } }
                    tbody { @for row in rows { tr { @for (cell, column) in row.iter().zip(columns) { (cell_of(column, cell)) } } } }
                }
            }
        }
    }
}

fn cell_of(column: &str, content: &Markup) -> Markup {
    html! { td data-column=(column) { (content) } }
}

/// Names and values, below each other.
pub(crate) fn fields(pairs: &[(&str, Markup)]) -> Markup {
    html! { dl.fields { @for (name, value) in pairs { dt { (name) } dd { (value) } } } }
}

/// The link to the next page of a list.
pub(crate) fn more(page: &str, filter: &[(&str, String)], after: Option<String>) -> Markup {
    let Some(after) = after else { return html! {} };
    let pairs = filter.iter().map(|(key, value)| (*key, value.as_str())).chain([("after", after.as_str())]);
    html! { p { a.next rel="next" href=(link_to(page, pairs)) { "Next page" } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_users_are_escaped() {
        let shown = text("<script>\u{202e}\n&\"").into_string();
        assert_eq!(shown, "<bdi>&lt;script&gt;\\u{202e}\\n&amp;&quot;</bdi>");
        let shown = EntityLink("a\"b&c/..#").render().into_string();
        assert!(shown.contains("entity?entity=a%22b%26c%2F..%23"), "{shown}");
    }

    #[test]
    fn durations_are_short() {
        let shown = [0.000_1, 0.02, 59.9, 150.0, 7500.0, 200_000.0]
            .map(|time| duration(Duration::from_secs_f64(time)));
        assert_eq!(shown, ["100 µs", "20 ms", "59 s", "2 min", "2 h 5 min", "2 d 7 h"]);
    }

    use maud::Render as _;
}
