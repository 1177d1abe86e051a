//! What a test requires of the machine, and whether it is there.

use std::{
    collections::BTreeMap,
    env, fs,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
};

use crate::servers::{NATS, POSTGRES, RABBITMQ, REDIS};

/// What a test may require, by `#[test(requires(…))]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// A server at [`REDIS`].
    Redis,
    /// A server at [`NATS`].
    Nats,
    /// A server at [`RABBITMQ`].
    RabbitMq,
    /// A server at [`POSTGRES`].
    Postgres,
    /// A program, which the test starts.
    Program(&'static str),
    /// A module of Python.
    Python(&'static str),
    /// axe-core, a script that checks whether pages are accessible.
    Axe,
    /// The official parser of AsyncAPI, for Node.js.
    AsyncApi,
    /// The right to mount a file system, which root has.
    Mount,
}

impl Requirement {
    /// Why it is missing on this machine, in one line. Each is checked once.
    pub fn missing(self) -> Option<String> {
        static CHECKED: Mutex<BTreeMap<Requirement, Option<String>>> = Mutex::new(BTreeMap::new());
        CHECKED.lock().unwrap().entry(self).or_insert_with(|| self.check().err()).clone()
    }

    fn check(self) -> Result<(), String> {
        match self {
            Self::Redis => listens("Redis", REDIS),
            Self::Nats => listens("NATS", NATS),
            Self::RabbitMq => listens("RabbitMQ", RABBITMQ),
            Self::Postgres => listens("PostgreSQL", POSTGRES),
            Self::Program(name) => find(name).map(drop).ok_or_else(|| not_installed(name)),
            Self::Python(module) => {
                let python = find("python").ok_or_else(|| not_installed("python"))?;
                works(Command::new(python).args(["-c", &format!("import {module}")]))
                    .ok_or_else(|| not_installed(&format!("{module} of Python")))
            }
            Self::Axe => axe_in_services().map(drop).ok_or_else(|| not_installed("axe-core")),
            Self::AsyncApi => {
                asyncapi_in_services().map(drop).ok_or_else(|| not_installed("@asyncapi/parser"))
            }
            Self::Mount => {
                let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
                let mount = ["-t", "tmpfs", "graceful"];
                works(Command::new("mount").args(mount).arg(directory.path()))
                    .and_then(|()| works(Command::new("umount").arg(directory.path())))
                    .ok_or_else(|| "no file system can be mounted; run the test as root".to_owned())
            }
        }
    }
}

fn listens(name: &str, address: SocketAddr) -> Result<(), String> {
    TcpStream::connect(address)
        .map(drop)
        .map_err(|error| format!("no {name} at {address}: {}; see `cargo xtask services`", error.kind()))
}

fn not_installed(name: &str) -> String {
    format!("{name} is not installed; see `cargo xtask services`")
}

fn works(command: &mut Command) -> Option<()> {
    let ended = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    ended.is_ok_and(|status| status.success()).then_some(())
}

/// The program that a test requires.
///
/// # Panics
/// Where it is not installed: then the test has to say that it requires it.
pub fn program(name: &str) -> PathBuf {
    find(name).unwrap_or_else(|| panic!("{}", not_installed(name)))
}

/// The script of axe-core.
///
/// # Panics
/// Where it is not installed: then the test has to say that it requires it.
pub fn axe() -> PathBuf {
    axe_in_services().unwrap_or_else(|| panic!("{}", not_installed("axe-core")))
}

fn axe_in_services() -> Option<PathBuf> {
    Some(services().join("axe-core/axe.min.js")).filter(|script| script.is_file())
}

/// The directory from which Node.js finds the official parser of AsyncAPI.
///
/// # Panics
/// Where it is not installed: then the test has to say that it requires it.
pub fn asyncapi() -> PathBuf {
    asyncapi_in_services().unwrap_or_else(|| panic!("{}", not_installed("@asyncapi/parser")))
}

fn asyncapi_in_services() -> Option<PathBuf> {
    let directory = services().join("asyncapi");
    directory.join("node_modules/@asyncapi/parser/package.json").is_file().then_some(directory)
}

fn services() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/services")
}

/// What `cargo xtask services --install` installed, else what is on the path, or where Debian keeps servers.
fn find(name: &str) -> Option<PathBuf> {
    let ours = services().join("bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let places = [ours].into_iter().chain(env::split_paths(&path)).chain(["/usr/sbin".into()]);
    // Versions of PostgreSQL are installed side by side.
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let places = places.chain(versions.map(|version| version.path().join("bin")));
    places.map(|place| place.join(name)).find(|program| program.is_file())
}
