//! The binaries that run their tests by `graceful_tests::harness`: nothing but the attribute `#[test]` of that package makes a function
//! one of their tests, and that only if `harness = false` in the manifest.

use std::{fs, path::Path};

use crate::{
    Result,
    features::{list, metadata, text},
};

/// What would keep a test of the binary from being run.
fn problems(manifest: &str, name: &str, main: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(main)?;
    let is_declared = manifest.contains(&format!("name = \"{name}\"\nharness = false\n"));
    // A binary that lists its tests itself has no attribute.
    let lists_itself = is_declared && text.contains("libtest_mimic::run(") && !text.contains("#[test]");
    if lists_itself || !is_declared && !text.contains("graceful_tests::harness::main()") {
        return Ok(Vec::new());
    }
    let mut problems = Vec::new();
    if !is_declared {
        problems.push(format!("{}: its manifest lacks `harness = false`", main.display()));
    }
    if !text.contains("#[macro_use(test)]\nextern crate graceful_tests;") {
        problems.push(format!("{}: `#[test]` is not that of graceful_tests", main.display()));
    }
    match main.parent().filter(|_| main.ends_with("main.rs")) {
        Some(directory) => tests_of_tokio(directory, &mut problems)?,
        None => tests_of_tokio(main, &mut problems)?,
    }
    Ok(problems)
}

/// In a file, or in all files below a directory.
fn tests_of_tokio(place: &Path, problems: &mut Vec<String>) -> Result {
    if place.is_dir() {
        for entry in fs::read_dir(place)? {
            tests_of_tokio(&entry?.path(), problems)?;
        }
    } else if place.extension().is_some_and(|extension| extension == "rs")
        && fs::read_to_string(place)?.contains("#[tokio::test")
    {
        problems.push(format!("{}: `#[tokio::test]` is never run here; write `#[test]`", place.display()));
    }
    Ok(())
}

#[test]
fn every_test_of_a_binary_without_the_harness_of_rust_is_run() {
    let metadata = metadata("--no-deps").unwrap();
    let mut found = Vec::new();
    for package in list(&metadata, "packages") {
        let manifest = fs::read_to_string(text(package, "manifest_path")).unwrap();
        for target in list(package, "targets").filter(|target| target["kind"][0] == "test") {
            found.extend(
                problems(&manifest, text(target, "name"), text(target, "src_path").as_ref()).unwrap(),
            );
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn test_that_is_never_run_is_a_problem() {
    let directory = tempfile::tempdir().unwrap();
    let main = directory.path().join("main.rs");
    fs::write(&main, "fn main() -> ExitCode {\n    graceful_tests::harness::main()\n}\n").unwrap();
    let nested = directory.path().join("cache");
    fs::create_dir(&nested).unwrap();
    for file in [directory.path().join("cache.rs"), nested.join("empty.rs")] {
        fs::write(file, "#[tokio::test]\nasync fn cache_is_empty() {}\n").unwrap();
    }
    assert_eq!(problems("name = \"cache\"\n", "cache", &main).unwrap().len(), 4);
}
