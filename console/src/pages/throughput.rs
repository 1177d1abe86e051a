//! The flows of the last minutes of this process, as charts.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::{
    measurements::{Interval, Throughput},
    page::table,
};

/// The size of a chart, in its own units.
const WIDTH: usize = 600;
const HEIGHT: u64 = 100;

/// A chart of each arm, and a table of the same numbers.
pub(super) fn charts(shown: &Throughput) -> Markup {
    let most = shown.ok.iter().chain(&shown.err).map(|interval| interval.flows).max().unwrap_or_default();
    html! {
        div.two {
            (chart("Success flows", "ok", &shown.ok, shown.interval_secs, most))
            (chart("Error flows", "err", &shown.err, shown.interval_secs, most))
        }
        details { summary { "The numbers of the charts" } (numbers(shown)) }
    }
}

/// All flows of an arm, and in front of them those of which a step failed. Both arms have one scale.
fn chart(name: &str, class: &str, intervals: &[Interval], seconds: u64, most: u32) -> Markup {
    let sum =
        |of: fn(&Interval) -> u32| intervals.iter().map(|interval| u64::from(of(interval))).sum::<u64>();
    let (flows, failed) = (sum(|interval| interval.flows), sum(|interval| interval.failed));
    let minutes = seconds * intervals.len() as u64 / 60;
    let title = format!(
        "{name} in the last {minutes} minutes: {flows}, of which {failed} with a failed step; the scale ends at {most} per {seconds} s"
    );
    html! {
        figure {
            figcaption { (name) ", per " (seconds) " s: " (flows) " in " (minutes) " min, " (failed) " with a failed step" }
            svg class={ "chart " (class) } role="img" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" {
                title { (title) }
                path.flows d=(area(intervals, most, |interval| interval.flows)) {}
                path.failed d=(area(intervals, most, |interval| interval.failed)) {}
            }
        }
    }
}

/// The outline of the bars of one number.
fn area(intervals: &[Interval], most: u32, of: fn(&Interval) -> u32) -> String {
    let width = WIDTH / intervals.len().max(1);
    let mut path = format!("M0 {HEIGHT}");
    for (place, interval) in intervals.iter().enumerate() {
        let top = HEIGHT - u64::from(of(interval)) * HEIGHT / u64::from(most.max(1));
        let _ = write!(path, "V{top}H{}", (place + 1) * width);
    }
    let _ = write!(path, "V{HEIGHT}Z");
    path
}

fn numbers(shown: &Throughput) -> Markup {
    let last = shown.ok.len().saturating_sub(1) as u64;
    let row = |(place, (ok, err)): (usize, (&Interval, &Interval))| {
        let ago = (last - place as u64) * shown.interval_secs;
        let numbers = [ok.flows, ok.failed, err.flows, err.failed];
        let began = if ago == 0 {
            html! { "now" }
        } else {
            html! { (ago) " s ago" }
        };
        std::iter::once(began).chain(numbers.map(|number| html! { (number) })).collect()
    };
    // The newest first.
    let rows: Vec<_> = shown.ok.iter().zip(&shown.err).enumerate().rev().map(row).collect();
    let columns = ["Interval", "Success flows", "with a failed step", "Error flows", "with a failed step"];
    table("Flows of this process", &columns, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chart_ends_at_the_largest_number() {
        let mut intervals = vec![Interval::default(); 3];
        (intervals[1].flows, intervals[2].flows) = (5, 10);
        assert_eq!(area(&intervals, 10, |interval| interval.flows), "M0 100V100H200V50H400V0H600V100Z");
        assert_eq!(area(&intervals, 0, |interval| interval.failed), "M0 100V100H200V100H400V100H600V100Z");
    }
}
