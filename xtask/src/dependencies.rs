//! Checks what `cargo metadata` says about the dependencies:
//!
//! - each comes from crates.io, and has a licence that `deny.toml` allows;
//! - none of a published crate's needs a newer Rust than that crate declares;
//! - the published crates have one version, and ask for each other by exactly that.
//!
//! `cargo deny` checks the first more closely, where it is installed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, iter,
    path::Path,
};

use serde_json::Value;

use crate::{
    Result,
    features::{list, metadata, text},
    run::{cargo, output, root},
};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub fn check() -> Result {
    let metadata = metadata("--all-features")?;
    let problems: Vec<String> =
        [licences(&metadata)?, rust_versions(&metadata)?, versions(&metadata)].concat();
    if problems.is_empty() {
        println!(
            "{} packages have permitted licences, sources and Rust versions",
            list(&metadata, "packages").count()
        );
        return Ok(());
    }
    Err(problems.join("\n").into())
}

fn named(package: &Value) -> String {
    format!("{} {}", text(package, "name"), text(package, "version"))
}

fn is_ours(package: &Value) -> bool {
    package["source"].is_null()
}

fn published(metadata: &Value) -> impl Iterator<Item = &Value> {
    list(metadata, "packages").filter(|package| is_ours(package) && package["publish"].is_null())
}

fn licences(metadata: &Value) -> Result<Vec<String>> {
    let deny = fs::read_to_string(root().join("deny.toml"))?;
    let (_, allowed) = deny.split_once("\nallow = [").ok_or("deny.toml: no list `allow` of licences")?;
    let allowed = allowed.split(']').next().unwrap_or_default();
    // Between quotes is every second part.
    let allowed: BTreeSet<&str> = allowed.split('"').skip(1).step_by(2).collect();
    let mut problems = Vec::new();
    for package in list(metadata, "packages") {
        let name = named(package);
        if !is_ours(package) && package["source"] != CRATES_IO {
            problems.push(format!("{name} comes from {}; expected crates.io", package["source"]));
        }
        let licence = licence(package);
        if !permitted(&licence, &allowed) {
            problems.push(format!("{name} has the licence {licence}, which deny.toml does not allow"));
        }
    }
    Ok(problems)
}

fn licence(package: &Value) -> String {
    if let Some(licence) = package["license"].as_str() {
        return licence.to_owned();
    }
    let file = package["license_file"].as_str().unwrap_or("LICENSE");
    let text = fs::read_to_string(Path::new(text(package, "manifest_path")).with_file_name(file))
        .unwrap_or_default();
    let head: String = text.chars().take(200).collect();
    let known = [("Apache License", "Apache-2.0"), ("MIT License", "MIT")];
    known.into_iter().find(|(words, _)| head.contains(words)).map_or("none", |(_, name)| name).to_owned()
}

/// Whether an SPDX expression can be met with the allowed licences: `MIT OR (ISC AND Zlib)`.
fn permitted(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    either(&mut spaced.split_whitespace().peekable(), allowed)
}

type Tokens<'a> = iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(tokens: &mut Tokens<'_>, allowed: &BTreeSet<&str>) -> bool {
    let mut met = both(tokens, allowed);
    while tokens.next_if_eq(&"OR").is_some() {
        met |= both(tokens, allowed);
    }
    met
}

fn both(tokens: &mut Tokens<'_>, allowed: &BTreeSet<&str>) -> bool {
    let mut met = single(tokens, allowed);
    while tokens.next_if_eq(&"AND").is_some() {
        met &= single(tokens, allowed);
    }
    met
}

fn single(tokens: &mut Tokens<'_>, allowed: &BTreeSet<&str>) -> bool {
    match tokens.next() {
        Some("(") => {
            let met = either(tokens, allowed);
            tokens.next();
            met
        }
        // An exception changes a licence into another one, which is not in the list.
        Some(licence) => tokens.next_if_eq(&"WITH").map_or_else(
            || allowed.contains(licence),
            |_| {
                tokens.next();
                false
            },
        ),
        None => false,
    }
}

fn rust_versions(metadata: &Value) -> Result<Vec<String>> {
    let needs: BTreeMap<String, &str> =
        list(metadata, "packages").map(|package| (named(package), text(package, "rust_version"))).collect();
    let mut problems = Vec::new();
    for package in published(metadata) {
        // Features whose dependencies need a newer Rust than the rest declare it in the manifest.
        let newer = &package["metadata"]["rust-versions"];
        let features = package["features"].as_object().into_iter().flat_map(|features| features.keys());
        let usual: Vec<&str> = features.map(String::as_str).filter(|name| newer[name].is_null()).collect();
        let mut declared = vec![(usual.join(","), text(package, "rust_version"))];
        declared.extend(
            newer.as_object().into_iter().flatten().map(|(name, _)| (name.clone(), text(newer, name))),
        );
        for (features, version) in declared {
            for dependency in shipped(text(package, "name"), &features)? {
                let needed = needs.get(&dependency).copied().unwrap_or_default();
                if rust(needed) > rust(version) {
                    let name = text(package, "name");
                    let with = format!("{name} declares {version} (features: {features})");
                    problems.push(format!("{dependency} needs Rust {needed}, and {with}"));
                }
            }
        }
    }
    Ok(problems)
}

/// What a user of these features builds, as `name version`.
fn shipped(package: &str, features: &str) -> Result<BTreeSet<String>> {
    let selection = format!("-p {package} --no-default-features --features={features} --locked");
    let tree =
        output(&mut cargo(&format!("tree {selection} --edges normal,build --prefix none --format {{p}}")))?;
    let name = |line: &str| {
        let mut words = line.split(' ');
        Some(format!("{} {}", words.next()?, words.next()?.strip_prefix('v')?))
    };
    Ok(tree.lines().filter_map(name).collect())
}

/// `1.89` and `1.89.0` are the same.
fn rust(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or_default());
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

fn versions(metadata: &Value) -> Vec<String> {
    let versions: BTreeMap<&str, &str> =
        published(metadata).map(|package| (text(package, "name"), text(package, "version"))).collect();
    let mut problems = Vec::new();
    if versions.values().collect::<BTreeSet<_>>().len() > 1 {
        problems.push(format!("the published crates have different versions: {versions:?}"));
    }
    for package in published(metadata) {
        for dependency in list(package, "dependencies") {
            let (name, asked) = (text(dependency, "name"), text(dependency, "req"));
            if let Some(version) = versions.get(name)
                && asked != format!("={version}")
            {
                problems
                    .push(format!("{} asks for {name} {asked}; expected ={version}", text(package, "name")));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licence_expression_with_one_allowed_alternative_is_permitted() {
        let allowed = BTreeSet::from(["MIT", "ISC", "Zlib"]);
        for expression in [
            "MIT",
            "GPL-3.0 OR MIT",
            "MIT/Apache-2.0",
            "(ISC AND Zlib) OR GPL-3.0",
            "GPL-3.0 OR (MIT AND ISC)",
        ] {
            assert!(permitted(expression, &allowed), "{expression}");
        }
        for expression in
            ["", "none", "GPL-3.0", "MIT AND GPL-3.0", "MIT WITH exception", "(MIT OR ISC) AND GPL-3.0"]
        {
            assert!(!permitted(expression, &allowed), "{expression}");
        }
    }

    #[test]
    fn rust_version_without_patch_is_that_with_patch_zero() {
        assert_eq!(rust("1.89"), rust("1.89.0"));
        assert!(rust("1.100") > rust("1.89.1"));
        assert!(rust("") < rust("1.0"));
    }
}
