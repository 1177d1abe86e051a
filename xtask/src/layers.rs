//! Holds the table of `docs/ARCHITECTURE.md` that says which module of `graceful` may use which.
//!
//! The modules are listed from the lowest layer to the highest, and each may use only those that are listed before it. So there is no
//! import upwards, and no cycle. What a module uses is the module that defines a name, and not one that exports it again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use proc_macro2::{TokenStream, TokenTree};
use syn::{Item, visit::Visit};

use crate::{
    Result,
    run::root,
    source::{self, Crate, ModulePath},
};

/// The heading over the table.
const HEADING: &str = "\n## Layers\n";

/// A use that the table does not permit: the user, what it uses, and where.
type Uses = BTreeMap<(String, String), BTreeSet<String>>;

pub fn check() -> Result {
    let problems = problems()?;
    if problems.is_empty() {
        println!("the imports of graceful/src are those that docs/ARCHITECTURE.md permits");
        return Ok(());
    }
    Err(format!("docs/ARCHITECTURE.md does not permit:\n{}", problems.join("\n")).into())
}

fn problems() -> Result<Vec<String>> {
    let text = fs::read_to_string(root().join("docs/ARCHITECTURE.md"))?;
    let section = text.split_once(HEADING).ok_or("docs/ARCHITECTURE.md: no section `Layers`")?.1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let graceful = Crate::read(&root().join("graceful/src/lib.rs"))?;
    Ok(compare(section, &graceful))
}

fn compare(section: &str, source: &Crate) -> Vec<String> {
    let order = order(section);
    let uses = uses(source, &order);
    let place = |module: &String| order.iter().position(|listed| listed == module);
    let mut problems = Vec::new();
    // A module such as `__private010` exports what others define.
    for path in source.modules.keys().filter(|path| path.len() == 1 && !path[0].starts_with("__")) {
        if !order.iter().any(|listed| listed == &path[0] || listed.starts_with(&format!("{}::", path[0]))) {
            problems.push(format!("  module `{}` is not in the table", path[0]));
        }
    }
    for listed in &order {
        let path: ModulePath = listed.split("::").map(ToOwned::to_owned).collect();
        if !source.modules.contains_key(&path) {
            problems.push(format!("  module `{listed}` is in the table, but not in the source"));
        }
    }
    for ((user, used), places) in &uses {
        if place(used) > place(user) {
            let places: Vec<&str> = places.iter().map(String::as_str).collect();
            problems.push(format!("  `{user}` uses `{used}`: {}", places.join(", ")));
        }
    }
    problems
}

/// Between backticks is every second part.
fn names(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(ToOwned::to_owned)
}

/// The modules of the second column, row by row.
fn order(section: &str) -> Vec<String> {
    let rows = section.lines().filter(|line| line.starts_with('|'));
    rows.filter_map(|row| row.split('|').nth(2)).flat_map(names).collect()
}

fn uses(source: &Crate, order: &[String]) -> Uses {
    let mut uses = Uses::new();
    // The root exports what users see: it may know every module, and no module is meant by it.
    for (path, module) in source.modules.iter().filter(|(path, _)| !path.is_empty()) {
        let mut visitor = Paths { found: Vec::new() };
        module.items.iter().for_each(|item| visitor.visit_item(item));
        for segments in visitor.found {
            // A name that a macro makes is not found, but its module is.
            let mut lengths = (1..=segments.len()).rev();
            let Some(found) = lengths.find_map(|length| source.resolve(path, &segments[..length])) else {
                continue;
            };
            let (Some(from), Some(to)) = (listed(path, order), listed(found.module(), order)) else {
                continue;
            };
            if from != to {
                let file = module.file.strip_prefix(root()).unwrap_or(&module.file);
                uses.entry((from, to)).or_default().insert(format!(
                    "{} ({})",
                    file.display(),
                    segments.join("::")
                ));
            }
        }
    }
    uses
}

/// The entry of the table that a module belongs to: itself, or the nearest of those around it.
fn listed(module: &ModulePath, order: &[String]) -> Option<String> {
    let names = (1..=module.len()).rev().map(|length| module[..length].join("::"));
    names.into_iter().find(|name| order.contains(name))
}

/// Every path of more than one segment.
struct Paths {
    found: Vec<Vec<String>>,
}

impl Paths {
    /// Within a macro only `crate::…` is surely a path.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':');
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => self.add_tokens(group.stream()),
                TokenTree::Ident(ident) if ident == "crate" => {
                    let mut path = vec!["crate".to_owned()];
                    while tokens.next_if(is_colon).is_some() {
                        let next = tokens.next_if(|token| matches!(token, TokenTree::Ident(_)));
                        path.extend(next.map(|name| name.to_string()));
                    }
                    self.found.push(path);
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        if !source::is_for_tests(source::attributes(item)) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        // What is exported is not used: whoever uses it is known by the module that defines it.
        if matches!(item.vis, syn::Visibility::Inherited) {
            self.found.extend(source::imports(item).into_iter().map(|import| import.path));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 {
            self.found.push(segments);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.add_tokens(item.tokens.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_of_graceful_are_those_of_the_table() {
        let problems = problems().unwrap();
        assert!(problems.is_empty(), "docs/ARCHITECTURE.md does not permit:\n{}", problems.join("\n"));
    }

    /// A crate with the modules `low` and `high`, of which the lower uses the higher through the root.
    fn upwards() -> Crate {
        let directory = tempfile::tempdir().unwrap();
        let lib = directory.path().join("lib.rs");
        let text = "mod low { use crate::High; #[cfg(test)] mod tests { use crate::unknown; } }\n\
                    mod high { pub struct High; fn f() { crate::low::g() } }\npub use high::High;";
        fs::write(&lib, text).unwrap();
        Crate::read(&lib).unwrap()
    }

    #[test]
    fn import_upwards_through_the_root_is_a_problem() {
        let problems = compare("| 1 | `low` | |\n| 2 | `high` | |\n", &upwards());
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("  `low` uses `high`: "), "{problems:?}");
    }

    #[test]
    fn module_that_is_not_in_the_table_is_a_problem() {
        assert_eq!(compare("| 1 | `low` | |\n", &upwards()), ["  module `high` is not in the table"]);
    }
}
