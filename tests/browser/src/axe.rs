//! axe-core, which checks a page against the rules of accessibility.

use std::fs;

use graceful_tests::requirement;
use serde::Deserialize;
use thirtyfour::{WebDriver, error::WebDriverResult};

const RUN: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ['violations'] })
        .then(results => done({ violations: results.violations }), error => done({ error: String(error) }));
";

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Violations(Vec<Violation>),
    Error(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Violation {
    id: String,
    impact: Option<String>,
    help: String,
    help_url: String,
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    html: String,
    failure_summary: Option<String>,
}

/// The script comes from `WebDriver`, so the page's content security policy does not block it.
pub(crate) async fn violations(driver: &WebDriver) -> WebDriverResult<Vec<String>> {
    let script = fs::read_to_string(requirement::axe()).unwrap();
    driver.execute(script, []).await?;
    match driver.execute_async(RUN, []).await?.convert()? {
        Outcome::Violations(violations) => Ok(violations.iter().flat_map(Violation::lines).collect()),
        Outcome::Error(error) => panic!("axe-core failed: {error}"),
    }
}

impl Violation {
    /// One for each element.
    fn lines(&self) -> impl Iterator<Item = String> {
        let Self { id, help, help_url, .. } = self;
        let impact = self.impact.as_deref().unwrap_or("unknown");
        self.nodes.iter().map(move |Node { html, failure_summary }| {
            let summary = failure_summary.as_deref().unwrap_or_default();
            let summary = summary.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("{id} ({impact}): {help}: {html}: {summary} See {help_url}")
        })
    }
}
