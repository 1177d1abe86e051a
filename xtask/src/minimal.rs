//! The oldest versions of its dependencies that `graceful` declares are enough: with its default features it compiles with them, as in
//! an application whose lock file holds them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
};

use serde_json::Value;

use crate::{
    Result,
    features::{list, metadata, text},
    run::{cargo, root, run, target},
};

pub fn check() -> Result {
    let metadata = metadata("--no-deps")?;
    let packages: BTreeMap<&str, &Value> =
        list(&metadata, "packages").map(|package| (text(package, "name"), package)).collect();
    let application = target().join("xtask/minimal-versions");
    let _ = fs::remove_dir_all(&application);
    fs::create_dir_all(application.join("src"))?;
    fs::write(application.join("src/main.rs"), "fn main() {}\n")?;
    fs::write(application.join("Cargo.toml"), manifest(&packages))?;
    // The resolver that picks them is unstable, so the stable toolchain is told to allow it, for this one command.
    let update = &mut cargo("update --quiet -Z direct-minimal-versions");
    run(update.current_dir(&application).env("RUSTC_BOOTSTRAP", "1"))?;
    let check = &mut cargo("check --quiet --locked -p graceful");
    run(check.current_dir(&application).env("CARGO_TARGET_DIR", target().join("minimal-versions")))
}

/// It names what `graceful` depends on, since only direct dependencies get their oldest version.
fn manifest(packages: &BTreeMap<&str, &Value>) -> String {
    let graceful = packages["graceful"];
    let mut enabled = BTreeSet::new();
    let mut queue = vec!["default"];
    while let Some(feature) = queue.pop() {
        if enabled.insert(feature) {
            queue.extend(list(&graceful["features"], feature).filter_map(Value::as_str));
        }
    }
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in [graceful, packages["graceful-macros"]] {
        for dependency in list(package, "dependencies") {
            let name = text(dependency, "name");
            let used = dependency["optional"] != true || enabled.contains(format!("dep:{name}").as_str());
            if dependency["kind"].is_null() && used && !packages.contains_key(name) {
                found.entry(name).or_default().insert(text(dependency, "req"));
            }
        }
    }
    let mut manifest =
        "[package]\nname = \"application\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n".to_owned();
    let _ = writeln!(manifest, "graceful = {{ path = \"{}\" }}", root().join("graceful").display());
    for (name, versions) in found {
        let versions = versions.into_iter().collect::<Vec<_>>().join(", ");
        let _ = writeln!(manifest, "{name} = {{ version = \"{versions}\", default-features = false }}");
    }
    manifest
}
