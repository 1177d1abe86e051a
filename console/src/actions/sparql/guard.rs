//! What is checked of a SPARQL query before it is sent.
//!
//! The backends of `graceful-rdf` refuse updates: the embedded one parses a query, and a server gets it as a query. They do not refuse
//! `SERVICE`, with which a server would send requests elsewhere, nor `FROM`, with which it could. These checks do not parse the query, so they
//! refuse more than they must.

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
    for word in ["SERVICE", "FROM"] {
        if contains_word(query, word) {
            return Err(format!("the word {word} is refused: a query must not reach other servers"));
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

/// Whether a word stands alone, in any case of its letters. Behind `:`, `/` or `#` it is a part of a name or of an IRI, or a comment.
fn contains_word(query: &str, word: &str) -> bool {
    let query = query.to_ascii_uppercase();
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    query.match_indices(word).any(|(at, _)| {
        let (before, after) = (query[..at].chars().next_back(), query[at + word.len()..].chars().next());
        !before.is_some_and(|char| is_part(char) || ":/#".contains(char)) && !after.is_some_and(is_part)
    })
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

/// The text without what is between `<` and `>`, if that is an IRI.
fn outside_of_iris(text: &str) -> String {
    let (mut outside, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('<') {
        outside.push_str(before);
        rest = match after.split_once('>') {
            Some((iri, after))
                if !iri.contains(|char: char| char.is_whitespace() || "<\"{}|^`\\".contains(char)) =>
            {
                after
            }
            _ => after,
        };
    }
    outside + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_that_only_read_get_a_limit() {
        for query in [
            "SELECT * WHERE { ?s ?p ?o }",
            "  select ?s { ?s a <http://x/service> }",
            "PREFIX g: <urn:graceful:term:>\nPREFIX : <urn:x#y>\nSELECT ?f { ?f g:service ?x ; :FROM ?y }",
            "BASE <urn:x:>\nSELECT * { ?s ?p \"services\" } # LIMIT 5",
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
            "SELECT * FROM<http://evil.example/> { ?s ?p ?o }",
            "SELECT * { ?s ?p ?o } LIMIT 1001",
            "SELECT * { ?s ?p ?o } LIMIT 99999999999999999999999",
            "SELECT * { ?s ?p ?o } LIMIT 5000 OFFSET 1",
        ] {
            assert!(bounded(query).is_err(), "{query}");
        }
    }
}
