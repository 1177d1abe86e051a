//! The official parser of AsyncAPI, from the npm registry, which the tests give the documents of a program.

use std::fs;

use crate::{
    Result,
    run::{command, run, say, services, works},
};

pub const PACKAGE: &str = "@asyncapi/parser@3.6.6";

/// Whether exactly this version is there.
pub fn is_installed() -> bool {
    let manifest = services().join("asyncapi/node_modules/@asyncapi/parser/package.json");
    let version = PACKAGE.rsplit('@').next().unwrap_or_default();
    fs::read_to_string(manifest).is_ok_and(|text| text.contains(&format!("\"version\": \"{version}\"")))
}

/// Installs it below `target/services`. None of its scripts run.
pub fn install() -> Result {
    if !works(command("npm").arg("--version")) {
        return Err(format!(
            "npm, which downloads {PACKAGE}, is missing; install it by the package manager of this machine"
        )
        .into());
    }
    let directory = services().join("asyncapi");
    say(&format!("installing {PACKAGE} into {}", directory.display()));
    fs::create_dir_all(&directory)?;
    let npm = &mut command("npm");
    npm.args(["install", "--silent", "--no-save", "--no-package-lock", "--ignore-scripts", "--prefix"])
        .arg(&directory);
    run(npm.arg(PACKAGE))?;
    match is_installed() {
        true => Ok(()),
        false => Err(format!("{} has no {PACKAGE}", directory.display()).into()),
    }
}
