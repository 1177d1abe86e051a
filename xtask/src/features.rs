//! What `cargo metadata` says about the packages of this workspace, and the combinations of features that are checked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    Result,
    run::{cargo, output, run},
};

pub fn metadata(arguments: &str) -> Result<Value> {
    let text = output(&mut cargo(&format!("metadata --format-version 1 --locked {arguments}")))?;
    Ok(serde_json::from_str(&text)?)
}

/// The list or the fields under a name, or none.
pub fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// A package of this workspace that is published.
#[derive(Debug)]
pub struct Published {
    pub name: String,
    /// What each feature turns on, as the manifest says.
    features: BTreeMap<String, Vec<String>>,
}

pub fn published() -> Result<Vec<Published>> {
    let metadata = metadata("--no-deps")?;
    // `publish = false` is an empty list of registries.
    let packages = list(&metadata, "packages").filter(|package| package["publish"].is_null());
    let published = |package: &Value| {
        let features = serde_json::from_value(package["features"].clone())?;
        Ok(Published { name: text(package, "name").to_owned(), features })
    };
    packages.map(published).collect()
}

impl Published {
    /// The features that are on, directly or through others, when these are asked for.
    fn enabled(&self, asked: &[&str]) -> BTreeSet<String> {
        let mut enabled = BTreeSet::new();
        let mut queue: Vec<String> = asked.iter().map(ToString::to_string).collect();
        while let Some(feature) = queue.pop() {
            if let Some(others) = self.features.get(&feature)
                && enabled.insert(feature)
            {
                queue.extend(others.iter().cloned());
            }
        }
        // By itself it changes nothing.
        enabled.remove("default");
        enabled
    }

    /// No features, the default ones, and each alone; of those that enable the same, one.
    pub fn combinations(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let names = self.features.keys().map(String::as_str).filter(|name| *name != "default");
        let asked = [vec![], vec!["default"]].into_iter().chain(names.map(|name| vec![name]));
        asked.filter(|asked| seen.insert(self.enabled(asked))).map(|asked| asked.join(",")).collect()
    }

    fn is_everything(&self, asked: &str) -> bool {
        let all: Vec<&str> = self.features.keys().map(String::as_str).collect();
        self.enabled(&asked.split(',').collect::<Vec<_>>()) == self.enabled(&all)
    }
}

/// Each published crate compiles by itself with each of its features alone, and so does its documentation. This finds features that a
/// dependency has only because another crate of the workspace asks for them.
pub fn check() -> Result {
    for package in published()? {
        for features in package.combinations() {
            let selection =
                format!("-p {} --no-default-features --features={features} --locked", package.name);
            run(&mut cargo(&format!("clippy {selection} -- -D warnings")))?;
            // The documentation of the whole workspace has checked this one.
            if !package.is_everything(&features) {
                run(cargo(&format!("doc --no-deps {selection}")).env("RUSTDOCFLAGS", "-D warnings"))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_that_enable_the_same_are_checked_once() {
        let features = [("default", &["client"][..]), ("client", &[]), ("ring", &["client", "rustls/ring"])];
        let features =
            features.map(|(name, on)| (name.to_owned(), on.iter().map(ToString::to_string).collect()));
        let package = Published { name: "graceful-http".to_owned(), features: features.into() };
        assert_eq!(package.combinations(), ["", "default", "ring"]);
        assert!(package.is_everything("ring"));
        assert!(!package.is_everything("client"));
    }
}
