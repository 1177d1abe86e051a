//! Features of our crates change nothing in the dependencies that an application shares with us. Cargo unites the features of all
//! crates that depend on a crate, so this test asks cargo for each feature alone and does not use a program of this workspace,
//! which has all of them.

use std::process::Command;

/// The crates that a program with this crate of ours has, each with its features.
fn crates(package: &str, feature: &str) -> Vec<(String, Vec<String>)> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--package", package, "--no-default-features"])
        .args(["--features", feature, "--edges", "normal", "--prefix", "none", "--format", "{p}|{f}"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let lines = tree.lines().filter_map(|line| line.trim_end_matches(" (*)").split_once('|'));
    lines
        .map(|(package, features)| {
            let name = package.split(' ').next().unwrap_or_default();
            (name.to_owned(), features.split(',').map(ToOwned::to_owned).collect())
        })
        .collect()
}

/// Which libraries of cryptography `rustls` has: with two it takes neither, and whoever relies on its choice panics.
fn cryptography(crates: &[(String, Vec<String>)]) -> Vec<&str> {
    let rustls = crates.iter().find(|(name, _)| name == "rustls");
    let features = rustls.into_iter().flat_map(|(_, features)| features);
    features
        .map(String::as_str)
        .filter(|feature| feature.contains("ring") || feature.contains("aws"))
        .collect()
}

/// The crates that applications name, each with its features, but those that are not to be named.
fn published() -> Vec<(String, Vec<String>)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--locked", "--no-deps", "--format-version", "1"])
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let published = packages.filter(|package| package["publish"].is_null());
    published
        .map(|package| {
            let features = package["features"].as_object().unwrap().keys();
            let features = features.filter(|name| !name.starts_with("__")).cloned().collect();
            (package["name"].as_str().unwrap().to_owned(), features)
        })
        .collect()
}

#[test]
fn no_crate_or_feature_changes_the_clients_of_the_application() {
    let published = published();
    assert!(published.iter().any(|(package, _)| package == "graceful-alerts"), "{published:?}");
    for (package, features) in &published {
        for feature in features.iter().map(String::as_str).chain([""]) {
            let crates = crates(package, feature);
            let unasked = package != "graceful-nats" && feature != "ring";
            assert!(!unasked || cryptography(&crates).is_empty(), "{package} {feature}: {crates:?}");
            let is_client = |name: &str| ["reqwest", "native-tls"].contains(&name);
            assert!(!crates.iter().any(|(name, _)| is_client(name)), "{package} {feature}");
        }
        // With two of them, `rustls` takes neither.
        let all = crates(package, &features.join(","));
        assert!(cryptography(&all).iter().all(|library| *library == "ring"), "{package}: {all:?}");
    }
}

#[test]
fn encrypted_connections_use_rustls_with_the_library_that_the_application_chose() {
    for (package, feature, library) in [
        ("graceful-alerts", "alertmanager,webhook", None),
        ("graceful-alerts", "webhook,ring", Some("ring")),
        ("graceful-redis", "tls", None),
        ("graceful-rdf", "sparql", None),
        ("graceful-nats", "", Some("ring")),
        ("graceful-rabbitmq", "", None),
        ("graceful-rabbitmq", "ring", Some("ring")),
    ] {
        let crates = crates(package, feature);
        assert!(crates.iter().any(|(name, _)| name == "rustls"), "{package} {feature}: {crates:?}");
        let expected: Vec<&str> = library.into_iter().collect();
        let found: Vec<&str> = cryptography(&crates).into_iter().filter(|found| !found.is_empty()).collect();
        assert_eq!(found, expected, "{package} {feature}");
    }
}
