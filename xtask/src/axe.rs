//! axe-core, a script from the npm registry, with which the tests of the console check whether pages are accessible.

use std::{fs, path::PathBuf};

use crate::{
    Result,
    run::{command, output, run, say, services, works},
};

pub const PACKAGE: &str = "axe-core@4.14.1";

/// Of its `axe.min.js`.
const SHA256: &str = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c";

fn script() -> PathBuf {
    services().join("axe-core/axe.min.js")
}

/// Whether exactly this version is there.
pub fn is_installed() -> bool {
    let file = script();
    file.is_file() && output(command("sha256sum").arg(file)).is_ok_and(|printed| printed.starts_with(SHA256))
}

/// Unpacks it below `target/services`. None of its code runs.
pub fn install() -> Result {
    if !works(command("npm").arg("--version")) {
        return Err(format!(
            "npm, which downloads {PACKAGE}, is missing; install it by the package manager of this machine"
        )
        .into());
    }
    let directory = services().join("axe-core");
    say(&format!("unpacking {PACKAGE} into {}", directory.display()));
    fs::create_dir_all(&directory)?;
    run(command("npm").args(["pack", "--silent", PACKAGE, "--pack-destination"]).arg(&directory))?;
    let archive = directory.join(format!("{}.tgz", PACKAGE.replace('@', "-")));
    let unpack = &mut command("tar");
    unpack.args(["--extract", "--strip-components=1", "--directory"]).arg(&directory);
    run(unpack.arg("--file").arg(archive).args(["package/axe.min.js", "package/LICENSE"]))?;
    match is_installed() {
        true => Ok(()),
        false => Err(format!("{} is not that of {PACKAGE}: another SHA-256", script().display()).into()),
    }
}
