//! The servers and programs that the tests use. Each test that can starts a server of its own, on a free port, and stops it.
//!
//! Nothing outside of `target` changes: Debian's packages are downloaded and unpacked, not installed, so no server is started and no
//! right of an administrator is needed.

use std::{
    env,
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    time::Duration,
};

use crate::{
    Result, asyncapi, axe, debian,
    run::{command, on_ci, run, say, services as directory, works},
};

/// A program, and the package of Debian and Ubuntu that has it.
const PROGRAMS: &[(&str, &str)] = &[
    ("chromedriver", "chromium-driver"),
    ("chromium", "chromium"),
    ("curl", "curl"),
    ("initdb", "postgresql"),
    ("nats-server", "nats-server"),
    ("openssl", "openssl"),
    ("pg_dump", "postgresql-client"),
    ("pgbouncer", "pgbouncer"),
    ("postgres", "postgresql"),
    ("prometheus", "prometheus"),
    ("prometheus-alertmanager", "prometheus-alertmanager"),
    ("psql", "postgresql-client"),
    ("redis-server", "redis-server"),
    ("strace", "strace"),
    ("valgrind", "valgrind"),
];

/// From Python's index: a SPARQL server, and the reference implementation that verifies webhooks.
const PYTHON: &[&str] = &["oxigraph==0.5.13", "standardwebhooks==1.0.1"];

/// Servers at their standard ports, which a script cannot start for everybody.
const SERVERS: &[(&str, u16)] =
    &[("PostgreSQL", 5432), ("Redis", 6379), ("NATS with JetStream", 4222), ("RabbitMQ", 5672)];

const COMPOSE: &str = "docker compose up -d --wait";

/// What `ci` does: on a machine for checks everything is installed, on a contributor's nothing.
pub fn prepare() -> Result {
    if on_ci() {
        return install();
    }
    report();
    Ok(())
}

pub fn report() {
    let (programs, python) = (missing_programs(), !has_python());
    let (axe, asyncapi) = (!axe::is_installed(), !asyncapi::is_installed());
    if !programs.is_empty() || python || axe || asyncapi {
        let mut names: Vec<&str> = programs.iter().map(|(program, _)| *program).collect();
        if python {
            names.extend(PYTHON);
        }
        if axe {
            names.push(axe::PACKAGE);
        }
        if asyncapi {
            names.push(asyncapi::PACKAGE);
        }
        say(&format!("missing: {}; the tests that need them are ignored", names.join(", ")));
        say("to put them below target/services, and change nothing else: cargo xtask services --install");
        if !programs.is_empty() {
            let packages: Vec<&str> = programs.iter().map(|(_, package)| *package).collect();
            say(&format!("or, for the whole machine: apt-get install {}", packages.join(" ")));
        }
    }
    for (name, port) in SERVERS.iter().filter(|(_, port)| !answers(*port)) {
        say(&format!(
            "no {name} at 127.0.0.1:{port}; the tests that need it are ignored; to start it: {COMPOSE}"
        ));
    }
}

pub fn install() -> Result {
    let programs = missing_programs();
    if !has_python() {
        let services = directory();
        say(&format!("installing {} into {}", PYTHON.join(", "), services.display()));
        run(command("python3").args(["-m", "venv"]).arg(&services))?;
        let pip = services.join("bin/pip").display().to_string();
        run(command(&pip).args(["install", "--quiet", "--disable-pip-version-check"]).args(PYTHON))?;
    }
    if !programs.is_empty() {
        debian::unpack(&programs)?;
        if let [(program, _), ..] = missing_programs().as_slice() {
            return Err(format!(
                "{program} is still missing; install it by the package manager of this machine"
            )
            .into());
        }
    }
    if !axe::is_installed() {
        axe::install()?;
    }
    if !asyncapi::is_installed() {
        asyncapi::install()?;
    }
    match SERVERS.iter().find(|(_, port)| !answers(*port)) {
        Some((name, port)) => {
            Err(format!("no {name} at 127.0.0.1:{port}; start it, for example by `{COMPOSE}`").into())
        }
        None => Ok(()),
    }
}

pub fn servers_answer() -> bool {
    SERVERS.iter().all(|(_, port)| answers(*port))
}

fn answers(port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok()
}

fn has_python() -> bool {
    let bin = directory().join("bin");
    bin.join("oxigraph").is_file()
        && works(command(&bin.join("python").display().to_string()).args(["-c", "import standardwebhooks"]))
}

fn missing_programs() -> Vec<(&'static str, &'static str)> {
    PROGRAMS.iter().copied().filter(|(program, _)| find(program).is_none()).collect()
}

/// Debian keeps servers where the `PATH` of a plain user does not lead.
fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let further = [directory().join("bin"), "/usr/sbin".into()];
    let further = further.into_iter().chain(debian::of_postgresql("/".as_ref()));
    env::split_paths(&path).chain(further).map(|place| place.join(program)).find(|file| file.is_file())
}
