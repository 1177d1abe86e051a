//! The package that is compiled: its name, and the features of its `Cargo.toml`.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
    sync::{LazyLock, Mutex},
};

/// The name of the package; empty without Cargo.
pub(super) fn package() -> String {
    env::var("CARGO_PKG_NAME").unwrap_or_default()
}

/// The names of its features, sorted, without `default`, which changes nothing by itself.
pub(super) fn features() -> Vec<String> {
    // An editor expands many packages in one process.
    static READ: LazyLock<Mutex<BTreeMap<String, Vec<String>>>> = LazyLock::new(Mutex::default);
    let Ok(directory) = env::var("CARGO_MANIFEST_DIR") else { return Vec::new() };
    let mut read = READ.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(features) = read.get(&directory) {
        return features.clone();
    }
    let manifest = fs::read_to_string(Path::new(&directory).join("Cargo.toml")).unwrap_or_default();
    let features: Vec<_> = keys_of_features(&manifest).into_iter().collect();
    read.insert(directory, features.clone());
    features
}

/// The keys of the table `[features]`. A parser of TOML would be compiled before every program with handlers, and the table is always written
/// as lines of `name = […]`.
fn keys_of_features(manifest: &str) -> BTreeSet<String> {
    let lines = manifest.lines().map(str::trim);
    let table = lines.skip_while(|line| !is_header(line)).skip(1).take_while(|line| !line.starts_with('['));
    let keys = table.filter_map(|line| {
        let (key, _) = line.split_once('=')?;
        let key = key.trim();
        let key = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
        let is_name = |c: char| c.is_alphanumeric() || "_-+.".contains(c);
        (!key.is_empty() && key != "default" && key.chars().all(is_name)).then(|| key.to_owned())
    });
    keys.collect()
}

fn is_header(line: &str) -> bool {
    let header = line.split('#').next().unwrap_or_default().trim_end();
    header == "[features]"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_of_a_manifest_are_the_keys_of_its_table() {
        let manifest = r#"
[package]
name = "users"

[features] # of the service
default = ["postgres"]
postgres = ["dep:sqlx"]
# sqlite = []
"with-quotes" = [
    "postgres", # a = b
    "sqlx/tls",
]
c++ = []

[dependencies]
serde = "1"
"#;
        let expected = ["c++", "postgres", "with-quotes"].map(str::to_owned);
        assert_eq!(keys_of_features(manifest), expected.into());
        assert_eq!(keys_of_features("[dependencies]\nserde = 1"), BTreeSet::new());
    }
}
