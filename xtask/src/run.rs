//! Runs commands in the root of the repository, and prints each with the seconds since the start.

use std::{
    env,
    ffi::OsStr,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
    time::Instant,
};

use crate::Result;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root of the repository")
}

/// The target directory, which a contributor may have moved.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |target| root().join(target))
}

/// Where `cargo xtask services --install` puts programs, and where the tests look for them.
pub fn services() -> PathBuf {
    root().join("target/services")
}

pub fn say(text: &str) {
    let seconds = START.elapsed().as_secs();
    eprintln!("\n[{seconds:4}s] {text}");
}

/// Whether this is a machine for checks: there, what is missing is installed, and a test that needs it fails without it.
pub fn on_ci() -> bool {
    ["CI", "GRACEFUL_REQUIRE_SERVICES"]
        .iter()
        .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// A program of the machine, or one that `cargo xtask services --install` has put below `target`.
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).chain([services().join("bin")]);
    command.current_dir(root()).env("PATH", env::join_paths(places).unwrap_or(path.clone()));
    if on_ci() {
        // Everything is built once: files that would make a second build faster only fill the disk.
        command.env("GRACEFUL_REQUIRE_SERVICES", "1").env("CARGO_INCREMENTAL", "0");
    }
    command
}

/// `cargo`, with these words as its arguments.
pub fn cargo(arguments: &str) -> Command {
    let mut command = command(&env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command.args(arguments.split_whitespace());
    command
}

/// As it can be typed: environment, program and arguments.
fn shown(command: &Command) -> String {
    let text = |part: &OsStr| {
        let part = part.to_string_lossy();
        match part.contains(' ') {
            true => format!("'{part}'"),
            false => part.into_owned(),
        }
    };
    let given =
        command.get_envs().filter(|(name, _)| !["PATH", "CARGO_INCREMENTAL"].iter().any(|set| name == set));
    let given = given.filter_map(|(name, value)| Some(format!("{}={}", name.display(), text(value?))));
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    given.chain([text(program)]).chain(command.get_args().map(text)).collect::<Vec<_>>().join(" ")
}

pub fn run(command: &mut Command) -> Result {
    ends(command, "", 0)
}

/// With this standard input, the command ends with this exit code.
pub fn ends(command: &mut Command, input: &str, code: i32) -> Result {
    let shown = shown(command);
    say(&match code {
        0 => shown.clone(),
        _ => format!("{shown} (must fail)"),
    });
    let mut child = command.stdin(Stdio::piped()).spawn().map_err(|error| format!("{shown}: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program may end without reading its input.
        let _ = stdin.write_all(input.as_bytes());
    }
    match child.wait()?.code() {
        Some(ended) if ended == code => Ok(()),
        Some(ended) => Err(format!("{shown}: exit code {ended}, expected {code}").into()),
        None => Err(format!("{shown}: ended by a signal").into()),
    }
}

/// What the command prints.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{}: {}", shown(command), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Whether the command can be run here.
pub fn works(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
