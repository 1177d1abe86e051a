//! What our features do to the dependencies that an application shares with us: nothing. Cargo unites the features of all that depend on
//! a crate, so this asks cargo, for each feature alone, and not a program of this workspace, which has all of them.

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

#[test]
fn crate_with_encrypted_connections_leaves_clients_of_the_application_alone() {
    for (package, feature) in [
        ("graceful-alerts", "alertmanager,webhook"),
        ("graceful-redis", "tls"),
        ("graceful-rdf", "sparql"),
        ("graceful-http", "client"),
    ] {
        let crates = crates(package, feature);
        assert!(crates.iter().any(|(name, _)| name == "rustls"), "{package}: {crates:?}");
        assert_eq!(cryptography(&crates), [""; 0], "{package}");
        // Its own features say what it does by default, for all that use it.
        assert!(crates.iter().all(|(name, _)| name != "reqwest" && name != "native-tls"), "{package}");
    }
}

/// The feature that says so, and the crate whose client cannot be built without a library.
#[test]
fn library_of_cryptography_comes_with_ring_and_nats_only() {
    for (package, feature) in [("graceful-nats", ""), ("graceful-alerts", "webhook,ring")] {
        assert_eq!(cryptography(&crates(package, feature)), ["ring"], "{package}");
    }
}
