//! Linker, profile and order of modules lose no handler, and change no document.
#![allow(missing_docs, reason = "tests")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// The short form builds only this package again, which takes seconds. The long form builds everything again, which takes minutes: it runs
/// with `GRACEFUL_SOAK`, as `cargo xtask soak` sets it, and otherwise the report says that it did not.
fn main() -> ExitCode {
    let short = Trial::test("order_of_modules_and_codegen_units_change_no_document", || {
        order_of_modules_and_codegen_units_change_no_document();
        Ok(())
    });
    let mut trials = vec![short];
    for build in LONG {
        let linker = build.linker.to_owned();
        trials.push(Trial::ignorable_test(build.name, move || long(build, &linker)));
    }
    let mut arguments = Arguments::from_args();
    // Each builds with all processors, in one directory.
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// How a program is built: further arguments of Cargo, whether everything is built anew, and flags of the compiler.
struct Build {
    name: &'static str,
    arguments: &'static [&'static str],
    /// Below `target/matrix`, so that the other programs are not built again.
    is_apart: bool,
    flags: &'static str,
    /// The program that must have linked it, as `-fuse-ld` names it; empty for that of the toolchain.
    linker: &'static str,
    /// The folder of the profile.
    folder: &'static str,
}

impl Build {
    const fn here(arguments: &'static [&'static str]) -> Self {
        Self { name: "", arguments, is_apart: false, flags: "", linker: "", folder: "debug" }
    }

    const fn release(name: &'static str, arguments: &'static [&'static str]) -> Self {
        Self { name, arguments, is_apart: true, flags: "", linker: "", folder: "release" }
    }

    const fn linked_by(mut self, linker: &'static str, flags: &'static str) -> Self {
        (self.linker, self.flags) = (linker, flags);
        self
    }

    /// What the program prints that is built in this way.
    fn printed(&self, program: &str) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let target = root.join(if self.is_apart { "target/matrix" } else { "target" });
        let cargo = &mut Command::new(env!("CARGO"));
        cargo.current_dir(&root).env("CARGO_TARGET_DIR", &target).args(["build", "--quiet", "--locked"]);
        if self.is_apart {
            cargo.args(["--package", "graceful-tests-matrix"]);
        } else {
            cargo.arg("--workspace");
        }
        if !self.flags.is_empty() {
            cargo.env("RUSTFLAGS", self.flags);
        }
        let built =
            cargo.args(["--bin", "matrix", "--example", "matrix"]).args(self.arguments).status().unwrap();
        assert!(built.success(), "{:?}", self.arguments);
        let program: PathBuf = target.join(self.folder).join(program);
        if !self.linker.is_empty() {
            // LLD writes its name into what it links, and the others do not.
            let has_lld = fs::read(&program).unwrap().windows(11).any(|window| window == b"Linker: LLD");
            assert_eq!(has_lld, self.linker == "lld", "{}: another linker was used", self.name);
        }
        let output = Command::new(program).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }
}

#[track_caller]
fn assert_same(expected: &Build, builds: &[&Build]) {
    let expected = expected.printed("matrix");
    assert!(expected.starts_with("200 handlers\n"), "{}", &expected[..100.min(expected.len())]);
    for build in builds {
        for program in ["matrix", "examples/matrix"] {
            let printed = build.printed(program);
            assert!(
                printed == expected,
                "{:?} {program}: {}",
                build.arguments,
                &printed[..200.min(printed.len())]
            );
        }
    }
}

fn order_of_modules_and_codegen_units_change_no_document() {
    let here = Build::here(&[]);
    assert_same(
        &here,
        &[
            &here,
            &Build::here(&["--config", "profile.dev.package.graceful-tests-matrix.codegen-units=1"]),
            &Build::here(&[
                "--config",
                "profile.dev.package.graceful-tests-matrix.codegen-units=256",
                "--config",
                "profile.dev.package.graceful-tests-matrix.opt-level='z'",
            ]),
        ],
    );
}

const LONG: &[Build] = &[
    Build::release("release_loses_no_handler", &["--release"]),
    Build::release("thin_lto_loses_no_handler", &["--release", "--config", "profile.release.lto='thin'"]),
    Build::release(
        "fat_lto_with_one_codegen_unit_loses_no_handler",
        &[
            "--release",
            "--config",
            "profile.release.lto='fat'",
            "--config",
            "profile.release.codegen-units=1",
        ],
    ),
    Build::release(
        "many_codegen_units_lose_no_handler",
        &["--release", "--config", "profile.release.codegen-units=256"],
    ),
    Build::release(
        "opt_level_z_loses_no_handler",
        &["--release", "--config", "profile.release.opt-level='z'"],
    ),
    Build::release(
        "panic_abort_loses_no_handler",
        &["--release", "--config", "profile.release.panic='abort'"],
    ),
    Build::release("lld_loses_no_handler", &["--release"]).linked_by("lld", "-Clink-arg=-fuse-ld=lld"),
    Build::release("gnu_ld_loses_no_handler", &["--release"])
        .linked_by("bfd", "-Clinker-features=-lld -Clink-arg=-fuse-ld=bfd"),
];

/// A build of the long form. Without it, or without the linker, the report says so.
fn long(build: &Build, linker: &str) -> Result<Completion, Failed> {
    if env::var_os("GRACEFUL_SOAK").is_none() {
        return Ok(Completion::ignored_with("builds everything again: set GRACEFUL_SOAK"));
    }
    if !linker.is_empty() && !is_usable(linker) {
        let missing = format!("cc cannot link with {linker}");
        return match env::var_os("GRACEFUL_REQUIRE_SERVICES").is_some_and(|required| required == "1") {
            true => Err(missing.into()),
            false => Ok(Completion::ignored_with(missing)),
        };
    }
    // With the same features of its dependencies, which the other programs of the workspace change: the order of JSON objects is one.
    let debug = Build { folder: "debug", arguments: &[], ..Build::release("", &[]) };
    assert_same(&debug, &[build]);
    Ok(Completion::Completed)
}

/// Whether a program can be linked by it: rustc brings an LLD of its own, which `cc` does not know.
fn is_usable(linker: &str) -> bool {
    if linker == "lld" {
        let brought = Command::new("rustc").args(["--print", "sysroot"]).output().is_ok_and(|printed| {
            let sysroot = String::from_utf8_lossy(&printed.stdout).trim().to_owned();
            let host = Path::new(&sysroot).join("lib/rustlib");
            fs::read_dir(host).is_ok_and(|hosts| {
                hosts.flatten().any(|host| host.path().join("bin/gcc-ld/ld.lld").is_file())
            })
        });
        if brought {
            return true;
        }
    }
    Command::new(format!("ld.{linker}")).arg("--version").output().is_ok_and(|output| output.status.success())
}
