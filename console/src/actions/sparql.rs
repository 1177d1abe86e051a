//! SPARQL queries of the knowledge graph, read only.

mod guard;

use std::{sync::Arc, time::Duration};

use graceful::backends::{Rows, Term};
use maud::{Markup, html};

use self::guard::bounded;
use super::{
    Action, Done,
    recorded::{Deed, Kind, recorded},
};
use crate::{
    access::Permission,
    page::{Frame, PageError, cut, optional, table},
    request::{Query, View},
};

/// The longest query, in bytes.
const MAX_QUERY: usize = 16 * 1024;

/// How many rows are shown.
pub(super) const MAX_ROWS: usize = 1000;

/// How long a query may take.
const TIME: Duration = Duration::from_secs(5);

/// The longest text of a cell, in characters.
const MAX_CELL: usize = 500;

const EXAMPLE: &str = "SELECT ?flow ?code ?message WHERE {\n  ?flow <urn:graceful:term:code> ?code ; <urn:graceful:term:message> ?message .\n} LIMIT 20";

/// Sends a query to the knowledge graph.
#[derive(Debug)]
pub(super) struct Sparql(String);

impl Action for Sparql {
    const NAME: &'static str = "sparql";
    const PERMISSION: Permission = Permission::Sparql;

    fn parse(form: &mut Query) -> Result<Self, PageError> {
        let query = form.need("query")?.replace("\r\n", "\n");
        match query.len() > MAX_QUERY {
            true => Err(PageError::invalid("the query is longer than 16 KiB")),
            false => Ok(Self(query)),
        }
    }

    async fn act(self, view: &View) -> Result<Done, PageError> {
        let Self(query) = self;
        view.needs_all_tenants()?;
        let Some(graph) = view.orchestrator().graph() else {
            return Err(PageError::not_found("there is no knowledge graph"));
        };
        let work = async {
            let bounded = bounded(&query).map_err(PageError::invalid)?;
            let turn = view.shared.slow_turn()?;
            let graph = Arc::clone(graph);
            // An embedded graph may go on after the time limit: the turn is over when it has ended.
            let running = tokio::spawn(async move {
                let _turn = turn;
                graph.query(&bounded).await
            });
            match tokio::time::timeout(TIME, running).await {
                Ok(Ok(rows)) => rows.map_err(|error| PageError::invalid(error.message())),
                Ok(Err(_)) => Err(PageError::unavailable("the query has panicked: see the log")),
                Err(_) => Err(PageError::unavailable(
                    "the query takes longer than 5 s; until it ends, no other is accepted",
                )),
            }
        };
        let deed = Deed::new("query the knowledge graph").with("query", &*query);
        let rows = recorded(view, Kind::Sparql, deed, work).await?;
        Ok(Done::answer(
            "graph",
            "SPARQL",
            move |frame| html! { (sparql_form(frame, &query)) (result(&rows)) },
        ))
    }
}

/// The form of a query; nothing without the permission.
pub(crate) fn sparql_form(frame: &Frame<'_>, query: &str) -> Markup {
    let query = if query.is_empty() { EXAMPLE } else { query };
    frame.form("sparql", Permission::Sparql, &html! {
        label {
            span { "Query (SELECT or ASK, read only)" }
            textarea name="query" rows="8" cols="80" spellcheck="false" maxlength=(MAX_QUERY) required { "\n" (query) }
        }
        p.none {
            "At most 1,000 rows and 5 s. The letters SERVICE and FROM are refused outside of IRIs, also in names and texts: "
            "the console does not parse the query. The query is recorded in the audit log."
        }
        button type="submit" { "Send" }
    })
}

fn result(rows: &Rows) -> Markup {
    let columns: Vec<&str> = rows.variables.iter().map(|name| &**name).collect();
    let shown: Vec<Vec<Markup>> = rows
        .rows
        .iter()
        .take(MAX_ROWS)
        .map(|row| row.iter().map(|cell| cell_of(cell.as_ref())).collect())
        .collect();
    html! {
        section {
            h2 { "Result" }
            @if rows.rows.len() > MAX_ROWS {
                p.warning { "There are more than 1,000 rows: the first 1,000 are shown." }
            } @else {
                p { (rows.rows.len()) " rows" }
            }
            (table("Result of the query", &columns, &shown))
        }
    }
}

fn cell_of(cell: Option<&Term>) -> Markup {
    match cell {
        None => optional(None),
        Some(Term::Blank(name)) => html! { "_:" (cut(name, MAX_CELL)) },
        Some(term) => cut(term.text(), MAX_CELL),
    }
}
