//! What is checked of a SPARQL query before it is sent.
//!
//! The backends of `graceful-rdf` refuse updates: the embedded one parses a query, and a server gets it as a query. They do not refuse
//! `SERVICE`, with which a server would send requests elsewhere, nor `FROM`, with which it could. These checks do not parse the query, so they
//! refuse more than they must: a parser needs no space around these words.

use super::MAX_ROWS;

/// The query with a limit on its rows.
///
/// # Errors
/// A sentence, if it is not certain that the query only reads the graph, and at most so many rows.
pub(super) fn bounded(query: &str) -> Result<String, String> {
    let form = form(query).ok_or("the query must begin with SELECT or ASK, after its prefixes")?;
    if query.to_ascii_lowercase().contains("\\u") {
        return Err("an escape such as \\u0053 is refused, because it can hide a word".to_owned());
    }
    let outside = outside_of_iris(query).to_ascii_uppercase();
    for word in ["SERVICE", "FROM"] {
        if outside.contains(word) {
            return Err(format!("{word} is refused outside of IRIs: a query must not reach other servers"));
        }
    }
    match (form, last_limit(query)) {
        (Form::Ask, _) => Ok(query.to_owned()),
        (Form::Select, Some(limit)) if limit <= MAX_ROWS => Ok(query.to_owned()),
        (Form::Select, Some(_)) => Err(format!("the limit is at most {MAX_ROWS}")),
        // One more, to know whether there are more. The line may end with a comment.
        (Form::Select, None) => Ok(format!("{query}\nLIMIT {}", MAX_ROWS + 1)),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Select,
    Ask,
}

/// The form of the query, behind its prefixes.
fn form(query: &str) -> Option<Form> {
    let mut rest = query.trim_start();
    loop {
        let end = rest.find(|char: char| !char.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let is_prefix = match word.to_ascii_uppercase().as_str() {
            "SELECT" => return Some(Form::Select),
            "ASK" => return Some(Form::Ask),
            "PREFIX" => true,
            "BASE" => false,
            _ => return None,
        };
        let (name, after) = after.split_once('<')?;
        let (iri, after) = after.split_once('>')?;
        let is_name = match (is_prefix, name.trim().strip_suffix(':')) {
            (true, Some(name)) => name.chars().all(|char| char.is_alphanumeric() || "_-.".contains(char)),
            (true, None) => false,
            (false, _) => name.trim().is_empty(),
        };
        if !is_name || iri.contains(char::is_whitespace) {
            return None;
        }
        rest = after.trim_start();
    }
}

/// The limit at the end of the query, the greatest if it is no number; `None` if the query does not certainly end with one.
fn last_limit(query: &str) -> Option<usize> {
    let last = query.trim_end().lines().next_back().unwrap_or_default();
    if outside_of_iris(last).contains('#') {
        return None;
    }
    let words: Vec<String> = query.split_whitespace().rev().take(4).map(str::to_ascii_uppercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [limit, name, ..] | [_, "OFFSET", limit, name] if name.trim_start_matches('}') == "LIMIT" => {
            Some(limit.parse().unwrap_or(usize::MAX))
        }
        _ => None,
    }
}

/// The text without its IRIs. What is between `<` and `>` and is no IRI stays: `<` compares, too.
fn outside_of_iris(text: &str) -> String {
    let (mut outside, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('<') {
        outside.push_str(before);
        let iri = after.split_once('>').filter(|(iri, _)| !iri.contains(is_no_part_of_an_iri));
        match iri {
            Some((_, after)) => (outside, rest) = (outside + " ", after),
            None => (outside, rest) = (outside + "<", after),
        }
    }
    outside + rest
}

fn is_no_part_of_an_iri(char: char) -> bool {
    char.is_whitespace() || char.is_control() || "<\"{}|^`\\".contains(char)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_that_only_read_get_a_limit() {
        for query in [
            "SELECT * WHERE { ?s ?p ?o }",
            "  select ?s { ?s a <http://x/service> }",
            "PREFIX g: <urn:graceful:term:>\nPREFIX : <urn:x#from>\nSELECT ?f { ?f <urn:graceful:term:service> ?x ; :y ?y }",
            "BASE <urn:x:>\nSELECT * { ?s ?p \"orders\" } # LIMIT 5",
            "SELECT * { { SELECT * { ?s ?p ?o } LIMIT 5 } }",
        ] {
            assert_eq!(bounded(query), Ok(format!("{query}\nLIMIT 1001")));
        }
        for query in [
            "ASK { ?s ?p ?o }",
            "SELECT * { ?s ?p ?o }\nLIMIT 1000",
            "SELECT * { ?s ?p <x#y> } limit 7 OFFSET 3",
        ] {
            assert_eq!(bounded(query), Ok(query.to_owned()));
        }
    }

    #[test]
    fn other_queries_are_refused() {
        for query in [
            "",
            "INSERT DATA { <a> <b> <c> }",
            "DELETE WHERE { ?s ?p ?o }",
            "LOAD <http://evil.example/>",
            "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }",
            "DESCRIBE <a>",
            "# SELECT\nCLEAR ALL",
            "PREFIX #>SELECT\nx: <u> CLEAR ALL",
            "PREFIX x: <u> DROP ALL",
            "BASE #<u>SELECT\n<v> DROP ALL",
            "SELECT * { SERVICE <http://evil.example/> { ?s ?p ?o } }",
            "SELECT * { ?s ?p ?o .service<http://evil.example/> { ?s ?p ?o } }",
            "SELECT * { ?s ?p ?o } #\nSELECT * { SeRvIcE SILENT <u> {} }",
            "SELECT * { \\u0053ERVICE <http://evil.example/> { ?s ?p ?o } }",
            "SELECT * FROM <http://evil.example/> { ?s ?p ?o }",
            "PREFIX x: <http://127.0.0.1:1/> SELECT * { SERVICEx:foo { ?s ?p ?o } }",
            "SELECT * { ?s ?p trueSERVICE<http://127.0.0.1:1/> { ?s ?p ?o } }",
            "PREFIX x: <u> SELECT * FROMx:foo { ?s ?p ?o }",
            "SELECT * { ?s ?p ?o FILTER(?o <1) SERVICE<x> { ?a ?b ?c } }",
            "SELECT * { ?s ?p ?o FILTER(?o<?s) . \"<\" SERVICE <x> {} }",
            "SELECT * FROM<http://evil.example/> { ?s ?p ?o }",
            "SELECT * { ?s ?p ?o } LIMIT 1001",
            "SELECT * { ?s ?p ?o } LIMIT 99999999999999999999999",
            "SELECT * { ?s ?p ?o } LIMIT 5000 OFFSET 1",
        ] {
            assert!(bounded(query).is_err(), "{query}");
        }
    }
}
