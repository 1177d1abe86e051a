//! The file `graceful.lock`.

use std::{fs, path::Path, process::Command};

use graceful::catalogue::Catalogue;
use graceful_contract::{LockError, accept, check, lock};

use super::program;

fn locked() -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("graceful.lock");
    accept(&program(), &path, None).unwrap();
    (directory, path)
}

/// The names of the facts, in the order of the lines.
fn names(lock: &str) -> Vec<&str> {
    let facts = lock.lines().filter(|line| !line.starts_with('#'));
    facts.map(|line| line.split(": ").next().unwrap()).collect()
}

#[test]
fn lock_has_one_fact_a_line_in_order_and_no_line_numbers() {
    let lock = lock(&program());
    let facts: Vec<_> = lock.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(names(&lock).is_sorted(), "{lock}");
    for expected in [
        "event tree_grown data.children[]: same=data",
        "event tree_grown data.pair[0]: integer 0..255",
        "event tree_grown data.state=%22Active%22: string",
        "event tree_grown data.state|Locked.Locked.since: integer required 0..18446744073709551615",
        "event user_updated data.address.street: string required",
        "event user_updated data.billing: object|null required",
        "event user_updated data.billing.zip: integer required 0..4294967295",
        "event user_updated pattern user",
        "event user_updated.failed code NOT_FOUND",
        "key user {}",
        "package graceful-contract",
        "stored documents::get_user value.billing: object|null optional",
    ] {
        let expected = expected.replace("%22", "\"");
        assert!(facts.contains(&&*expected), "{expected}\n{lock}");
    }
    assert!(!lock.contains(".rs"), "{lock}");
}

#[test]
fn missing_lock_is_an_error_and_is_not_written() {
    let (_directory, path) = locked();
    fs::remove_file(&path).unwrap();
    assert!(matches!(check(&program(), &path), Err(LockError::Missing(_))));
    assert!(!path.exists());
    assert!(matches!(accept(&program(), &path, Some("key user")), Err(LockError::Missing(_))));
    assert!(!path.exists());
}

#[test]
fn check_writes_nothing() {
    let (_directory, path) = locked();
    let text = fs::read_to_string(&path).unwrap().replace("event tree_grown pattern tree\n", "");
    fs::write(&path, &text).unwrap();
    let report = check(&program(), &path).unwrap();
    assert_eq!(report.differences().len(), 1, "{report}");
    assert_eq!(
        (report.incompatible().count(), report.differences()[0].fact()),
        (0, "event tree_grown pattern tree")
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn lock_of_a_package_that_is_not_linked_is_refused() {
    let (_directory, path) = locked();
    let text = fs::read_to_string(&path).unwrap() + "package other-users\n";
    fs::write(&path, text).unwrap();
    let error = check(&program(), &path).unwrap_err().to_string();
    assert!(error.contains("`use other_users as _;`"), "{error}");
    // Nothing of the program is linked: that is the error, and not that all is gone.
    let error = check(&Catalogue::default(), &path).unwrap_err().to_string();
    assert!(error.contains("`use graceful_contract as _;`") && !error.contains("event"), "{error}");
}

/// A lock that says this of the package, and has one event less than the program.
fn with_features(path: &Path, features: &str) {
    let text = fs::read_to_string(path).unwrap();
    let own = text.lines().find(|line| line.starts_with("package graceful-contract")).unwrap().to_owned();
    let text = text.replace(&own, format!("package graceful-contract: {features}").trim_end_matches(": "));
    fs::write(path, text.replace("event tree_grown pattern tree\n", "")).unwrap();
}

#[test]
fn lock_of_other_features_is_refused_and_names_what_to_enable_and_disable() {
    let (_directory, path) = locked();
    with_features(&path, "+audit -mail");
    let LockError::Unfit(reasons) = check(&program(), &path).unwrap_err() else { panic!() };
    let [reason] = &reasons[..] else { panic!("{reasons:?}") };
    assert!(reason.contains("the package does not declare `audit` any more"), "{reason}");
    assert!(reason.contains("`graceful-cli accept 'package graceful-contract' --lock '"), "{reason}");
    accept(&program(), &path, Some("package graceful-contract")).unwrap();
    assert_eq!(check(&program(), &path).unwrap().differences().len(), 1);
}

#[test]
fn feature_that_is_declared_and_disabled_does_not_prevent_the_comparison() {
    let (_directory, path) = locked();
    with_features(&path, "-mail");
    let report = check(&program(), &path).unwrap();
    let facts: Vec<_> = report.differences().iter().map(graceful_contract::Difference::fact).collect();
    assert_eq!(facts, ["event tree_grown pattern tree", "package graceful-contract"], "{report}");
    assert_eq!(report.incompatible().count(), 0);
}

#[test]
fn misspelt_fact_is_refused_with_the_nearest_name() {
    let (_directory, path) = locked();
    let text = fs::read_to_string(&path).unwrap();
    let changed =
        text.replace("data.address.street: string required", "data.address.street: integer required");
    fs::write(&path, &changed).unwrap();
    for (fact, expected) in [
        ("event user_updated data.adress.street", "did you mean `event user_updated data.address.street`?"),
        ("handler documents::get_usr", "did you mean `handler documents::get_user`?"),
        ("event user_updated data.address", ""),
        ("event tree_grown", "has not changed"),
        ("nothing of the kind", "give the name as `check` prints it"),
    ] {
        match accept(&program(), &path, Some(fact)) {
            Err(LockError::NoSuchFact(text)) => {
                assert!(!expected.is_empty() && text.contains(expected), "{text}");
                assert_eq!(fs::read_to_string(&path).unwrap(), changed);
            }
            done => {
                assert!(done.is_ok() && expected.is_empty(), "{fact}: {done:?}");
                fs::write(&path, &changed).unwrap();
            }
        }
    }
}

/// Each hint is a line for a shell.
#[test]
fn hint_is_a_command_that_accepts_the_fact() {
    let (_directory, path) = locked();
    let text = fs::read_to_string(&path).unwrap();
    // The program has no such field any more, and `'` must be quoted.
    let value = "event tree_grown data.it's";
    fs::write(&path, format!("{text}{value}: string required\n")).unwrap();
    let report = check(&program(), &path).unwrap();
    let difference = report.incompatible().next().unwrap().to_string();
    let command = difference.split("to accept it: `").nth(1).unwrap().trim_end_matches('`');
    let words = Command::new("sh")
        .args(["-c", &format!("set -- {command}; printf '%s\\n' \"$@\"")])
        .output()
        .unwrap();
    let words = String::from_utf8(words.stdout).unwrap();
    assert_eq!(words, format!("graceful-cli\naccept\n{value}\n--lock\n{}\n", path.display()), "{command}");
    // The usual name needs no argument.
    let missing = check(&program(), Path::new(graceful_contract::LOCK)).unwrap_err().to_string();
    assert!(missing.contains("write it by `graceful-cli accept`, and commit it"), "{missing}");
}

#[test]
fn one_fact_is_accepted_and_nothing_else() {
    let (_directory, path) = locked();
    let original = fs::read_to_string(&path).unwrap();
    let changed = original
        .replace("data.address.street: string required", "data.address.street: integer required")
        .replace("data.pair[0]: integer 0..255", "data.pair[0]: string");
    fs::write(&path, &changed).unwrap();
    let report = check(&program(), &path).unwrap();
    let facts: Vec<_> = report.incompatible().map(graceful_contract::Difference::fact).collect();
    let expected = ["event tree_grown data.pair[0]", "event user_updated data.address.street"];
    assert_eq!(facts, expected, "{report}");
    accept(&program(), &path, Some("event user_updated data.address.street")).unwrap();
    let left = fs::read_to_string(&path).unwrap();
    assert_eq!(left, original.replace("data.pair[0]: integer 0..255", "data.pair[0]: string"));
    let unknown = accept(&program(), &path, Some("event user_updated data.address.street"));
    assert!(matches!(unknown, Err(LockError::NoSuchFact(_))));
    let refused = accept(&program(), &path, None).unwrap_err();
    assert!(matches!(refused, LockError::Incompatible(_)));
}

#[test]
fn handlers_of_one_identity_are_an_error_that_names_both_places() {
    let twice = Catalogue::of_program().filtered(|handler| handler.identity == "documents::lock::twice");
    let error = accept(&twice, Path::new("not-written"), None).unwrap_err().to_string();
    assert_eq!(error.matches("tests/documents/lock.rs:").count(), 2, "{error}");
    assert!(error.contains("`name = \"…\"`"), "{error}");
}

mod doubled {
    use super::super::*;

    #[orchestrate(pattern = "user", name = "documents::lock::twice")]
    async fn first() -> Result<(), Code> {
        pending().await
    }

    #[orchestrate(pattern = "user", name = "documents::lock::twice")]
    async fn second() -> Result<(), Code> {
        pending().await
    }
}

/// Two branches add an event each.
#[test]
fn locks_of_two_branches_merge() {
    let (directory, path) = locked();
    let base = fs::read_to_string(&path).unwrap();
    let [ours, theirs] = ["ours", "theirs"].map(|name| directory.path().join(name));
    fs::write(&ours, base.replacen("event tree_grown\n", "event aged\nevent tree_grown\n", 1)).unwrap();
    fs::write(&theirs, base.replacen("event user_updated\n", "event user_deleted\nevent user_updated\n", 1))
        .unwrap();
    let merged =
        Command::new("git").args(["merge-file", "--stdout"]).args([&ours, &path, &theirs]).output().unwrap();
    assert!(merged.status.success());
    let text = String::from_utf8(merged.stdout).unwrap();
    assert!(text.contains("event aged\n") && text.contains("event user_deleted\n"));
    assert!(names(&text).is_sorted());
}
