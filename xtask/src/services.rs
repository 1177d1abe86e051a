//! The servers and programs that the tests use. Each test that can starts a server of its own, on a free port, and stops it.
//!
//! Nothing outside of `target` changes: Debian's packages are downloaded and unpacked, not installed, so no server is started and no
//! right of an administrator is needed.

use std::{
    env, fs,
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    Result,
    run::{command, on_ci, output, run, say, services as directory, works},
};

/// A program, and the package of Debian and Ubuntu that has it.
const PROGRAMS: &[(&str, &str)] = &[
    ("curl", "curl"),
    ("nats-server", "nats-server"),
    ("openssl", "openssl"),
    ("pgbouncer", "pgbouncer"),
    ("prometheus", "prometheus"),
    ("prometheus-alertmanager", "prometheus-alertmanager"),
    ("redis-server", "redis-server"),
    ("strace", "strace"),
    ("valgrind", "valgrind"),
];

/// From Python's index: a SPARQL server, and the reference implementation that verifies webhooks.
const PYTHON: &[&str] = &["oxigraph==0.5.13", "standardwebhooks==1.0.1"];

/// Servers at their standard ports, which a script cannot start for everybody.
const SERVERS: &[(&str, u16)] = &[("PostgreSQL", 5432), ("Redis", 6379), ("NATS with JetStream", 4222)];

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
    if !programs.is_empty() || python {
        let mut names: Vec<&str> = programs.iter().map(|(program, _)| *program).collect();
        if python {
            names.extend(PYTHON);
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
        unpack(&programs)?;
        if let [(program, _), ..] = missing_programs().as_slice() {
            return Err(format!(
                "{program} is still missing; install it by the package manager of this machine"
            )
            .into());
        }
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
    env::split_paths(&path).chain(further).map(|place| place.join(program)).find(|file| file.is_file())
}

/// Downloads the packages and what they depend on, unpacks them below `target/services/debian`, and writes a script for each program,
/// which tells it where its libraries are.
fn unpack(programs: &[(&str, &str)]) -> Result {
    if !works(command("apt-get").arg("--version")) {
        let names: Vec<&str> = programs.iter().map(|(program, _)| *program).collect();
        return Err(format!(
            "{} are missing; install them by the package manager of this machine",
            names.join(", ")
        )
        .into());
    }
    let debian = directory().join("debian");
    let (lists, archives) = (debian.join("lists"), debian.join("archives"));
    for directory in [&lists, &archives] {
        fs::create_dir_all(directory.join("partial"))?;
    }
    let packages: Vec<&str> = programs.iter().map(|(_, package)| *package).collect();
    say(&format!("unpacking {} into {}", packages.join(", "), debian.display()));
    let apt = |arguments: &str| {
        let mut apt = command("apt-get");
        for (name, value) in [("State::lists", &lists), ("Cache", &debian), ("Cache::archives", &archives)] {
            apt.arg("-o").arg(format!("Dir::{name}={}", value.display()));
        }
        apt.args(["-qq", "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User="]);
        apt.args(arguments.split(' '));
        apt
    };
    run(&mut apt("update"))?;
    run(apt("install --download-only --yes --no-install-recommends").args(&packages))?;
    let unpacked = debian.join("root");
    for archive in fs::read_dir(&archives)? {
        let archive = archive?.path();
        if archive.extension().is_some_and(|extension| extension == "deb") {
            run(command("dpkg-deb").arg("--extract").args([&archive, &unpacked]))?;
        }
    }
    for (program, package) in programs {
        let places = ["usr/bin", "usr/sbin", "bin", "sbin"].map(|place| unpacked.join(place).join(program));
        let file = places.into_iter().find(|file| file.is_file());
        let file = file.ok_or(format!("the package {package} has no {program}"))?;
        if *program == "prometheus-alertmanager" {
            read_templates_from_descriptor(&file)?;
        }
        script(program, &file, &unpacked)?;
    }
    Ok(())
}

/// The directory whose name is compiled into Debian's Alertmanager. Without its templates it does not start.
const TEMPLATES: &str = "/usr/share/prometheus/alertmanager";

/// Lets a program that was not installed find its templates: their directory is open as descriptor 9 (see [`script`]), and the name of
/// that descriptor replaces the directory's, with the same length.
fn read_templates_from_descriptor(program: &Path) -> Result {
    let mut bytes = fs::read(program)?;
    let descriptor = format!("{:/<1$}", "/proc/self/fd/9", TEMPLATES.len());
    while let Some(place) = bytes.windows(TEMPLATES.len()).position(|bytes| bytes == TEMPLATES.as_bytes()) {
        bytes[place..place + TEMPLATES.len()].copy_from_slice(descriptor.as_bytes());
    }
    Ok(fs::write(program, bytes)?)
}

fn script(program: &str, file: &Path, unpacked: &Path) -> Result {
    let machine = output(command("dpkg-architecture").arg("-qDEB_HOST_MULTIARCH")).or_else(|_| {
        output(command("uname").arg("-m")).map(|machine| format!("{}-linux-gnu", machine.trim()))
    })?;
    let templates = unpacked.join(TEMPLATES.trim_start_matches('/'));
    let templates =
        if templates.is_dir() { format!("exec 9<\"{}\"\n", templates.display()) } else { String::new() };
    let (unpacked, machine) = (unpacked.display(), machine.trim());
    let text = format!(
        "#!/bin/sh\n{templates}export LD_LIBRARY_PATH=\"{unpacked}/usr/lib/{machine}:{unpacked}/lib/{machine}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\"\n\
         export VALGRIND_LIB=\"{unpacked}/usr/libexec/valgrind\"\nexec \"{}\" \"$@\"\n",
        file.display()
    );
    let script = directory().join("bin").join(program);
    fs::create_dir_all(directory().join("bin"))?;
    fs::write(&script, text)?;
    Ok(fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?)
}
