//! What our features do to the dependencies that an application shares with us: nothing. Cargo unites the features of all that depend on
//! a crate, so this asks cargo, for each feature alone, and not a program of this workspace, which has all of them.

use std::process::Command;

/// The crates that a program with this feature of ours has, each with its features.
fn crates(feature: &str) -> Vec<(String, Vec<String>)> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--package", "graceful", "--no-default-features"])
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

/// All that the crate has, but those that are not to be named.
fn features() -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--locked", "--no-deps", "--format-version", "1"])
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut packages = metadata["packages"].as_array().unwrap().iter();
    let graceful = packages.find(|package| package["name"] == "graceful").unwrap();
    let names = graceful["features"].as_object().unwrap().keys();
    names.filter(|name| !name.starts_with("__")).cloned().collect()
}

/// A client of the application's own may be built without a library of cryptography, as `reqwest` with `rustls-no-provider` is, or
/// with one. So no feature brings one unasked, and none brings `reqwest`: its features would say what the application's client is.
#[test]
fn no_feature_changes_the_clients_of_the_application() {
    let features = features();
    assert!(features.iter().any(|feature| feature == "webhook"), "{features:?}");
    for feature in &features {
        let crates = crates(feature);
        let unasked = !["nats", "ring"].contains(&feature.as_str());
        assert!(!unasked || cryptography(&crates).is_empty(), "{feature}: {crates:?}");
        assert!(crates.iter().all(|(name, _)| name != "reqwest" && name != "native-tls"), "{feature}");
    }
    // With two of them, `rustls` takes neither.
    assert_eq!(cryptography(&crates(&features.join(","))), ["ring"], "all features together");
}

#[test]
fn features_with_encrypted_connections_use_rustls() {
    for feature in ["alertmanager", "nats", "redis-tls", "sparql", "webhook"] {
        let crates = crates(feature);
        assert!(crates.iter().any(|(name, _)| name == "rustls"), "{feature}: {crates:?}");
    }
}

/// The feature that says so, and the one whose client cannot be built without a library.
#[test]
fn library_of_cryptography_comes_with_ring_and_nats_only() {
    for feature in ["nats", "webhook,ring"] {
        assert_eq!(cryptography(&crates(feature)), ["ring"], "{feature}");
    }
}
