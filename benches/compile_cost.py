#!/usr/bin/env -S python3 -B
"""The cost of a handler at compile time: plain, traced, orchestrated by hand, and annotated.

Generates one crate per variant and number of handlers, and measures what the handlers add to the crate without any:
CPU seconds of `cargo check` and `cargo build` (dependencies built before, best of several runs, nothing incremental),
expanded lines, LLVM lines (unoptimised), and the text of the release binary.

    benches/compile_cost.py --json FILE     everything, about 20 minutes
    benches/compile_cost.py --sizes         lines only, as the guard does
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COUNTS = (0, 100, 500, 1000)
# Sizes are exact, so one number of handlers is enough.
SIZED = 100

MANIFEST = """\
[package]
name = "{name}"
version = "0.0.0"
edition = "2024"

[dependencies]
bytes = "*"
graceful = {{ path = "{graceful}" }}
jiff = {{ version = "*", default-features = false, features = ["std"] }}
quick_cache = {{ version = "*", default-features = false, features = ["custom-hasher", "parking_lot"] }}
serde = {{ version = "*", features = ["derive"] }}
serde_json = "*"
tokio = {{ version = "*", features = ["sync"] }}
tracing = {{ version = "*", default-features = false, features = ["std", "attributes"] }}
uuid = {{ version = "*", features = ["v7"] }}
"""

# The code that every variant has, independent of the number of handlers.
PRELUDE = """\
#![allow(dead_code, unused_imports)]

use std::{fmt, future::Future, pin::Pin, sync::LazyLock, time::{Duration, Instant}};

use bytes::Bytes;
use graceful::{Classify, Code};
use jiff::Timestamp;
use quick_cache::sync::Cache;
use serde::Serialize;
use tokio::sync::mpsc;
use uuid::Uuid;

#[derive(Clone, Debug, Default, Serialize)]
pub struct User { pub id: u64, pub name: String, pub email: String, pub visits: u64, pub score: u64 }

#[derive(Clone, Debug, Classify)]
pub enum UserError {
    #[classify(code = InvalidArgument, message = "the {field} is not valid")]
    Invalid { field: &'static str },
    #[classify(code = Internal, message = "too many visits")]
    Overflow,
}

impl UserError {
    pub const fn code(&self) -> Code {
        match self {
            Self::Invalid { .. } => Code::InvalidArgument,
            Self::Overflow => Code::Internal,
        }
    }
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{self:?}") }
}

impl std::error::Error for UserError {}

#[derive(Debug)]
pub struct Event {
    pub id: Uuid,
    pub name: &'static str,
    pub subject: String,
    pub time: Timestamp,
    pub code: Code,
    pub payload: Bytes,
}

#[derive(Serialize)]
pub struct Failed<'a> { pub code: &'static str, pub message: &'a str, pub retryable: bool }

pub struct Service { pub cache: Cache<String, (Bytes, Instant)>, pub events: mpsc::Sender<Event> }

pub static SERVICE: LazyLock<Service> =
    LazyLock::new(|| Service { cache: Cache::new(10_000), events: mpsc::channel(1024).0 });

pub const TTL: Duration = Duration::from_secs(600);

type Handler = fn(User) -> Pin<Box<dyn Future<Output = Result<User, UserError>> + Send>>;
"""

# Twelve lines, as real handlers have.
SIGNATURE = "pub async fn update_user_{n}(user: User) -> Result<User, UserError> {{\n"
BODY = """\
    if user.name.is_empty() {{
        return Err(UserError::Invalid {{ field: "name" }});
    }}
    if !user.email.contains('@') {{
        return Err(UserError::Invalid {{ field: "email" }});
    }}
    let mut user = user;
    user.name = user.name.trim().to_owned();
    user.visits += {n};
    let score = user.visits.checked_mul(3).ok_or(UserError::Overflow)?;
    Ok(User {{ score, ..user }})
"""
PLAIN = SIGNATURE + BODY + "}}\n"
BY_HAND = (
    SIGNATURE
    + '    let key = format!("users::user:{{}}", user.id);\n    let result = async move {{\n'
    + BODY
    + """\
    }}
    .await;
    match &result {{
        Ok(user) => match serde_json::to_vec(user) {{
            Ok(json) => {{
                let payload = Bytes::from(json);
                SERVICE.cache.insert(key.clone(), (payload.clone(), Instant::now() + TTL));
                let event = Event {{
                    id: Uuid::now_v7(),
                    name: "user_{n}_updated",
                    subject: key,
                    time: Timestamp::now(),
                    code: Code::Ok,
                    payload,
                }};
                if let Err(error) = SERVICE.events.try_send(event) {{
                    tracing::warn!(%error, "the event was not emitted");
                }}
            }}
            Err(error) => tracing::warn!(%error, "the user was not serialised"),
        }},
        Err(error) => {{
            let code = error.code();
            if !code.state_untouched() {{
                SERVICE.cache.remove(&key);
            }}
            let failed = Failed {{ code: code.as_str(), message: &error.to_string(), retryable: code.retryable() }};
            match serde_json::to_vec(&failed) {{
                Ok(json) => {{
                    let event = Event {{
                        id: Uuid::now_v7(),
                        name: "user_{n}_updated.failed",
                        subject: key,
                        time: Timestamp::now(),
                        code,
                        payload: Bytes::from(json),
                    }};
                    if let Err(error) = SERVICE.events.try_send(event) {{
                        tracing::warn!(%error, "the event was not emitted");
                    }}
                }}
                Err(error) => tracing::warn!(%error, "the failure was not serialised"),
            }}
        }}
    }}
    result
}}
"""
)
VARIANTS = {
    "plain": PLAIN,
    "instrument": "#[tracing::instrument(err)]\n" + PLAIN,
    "by-hand": BY_HAND,
    "graceful": '#[graceful::orchestrate(pattern = "user", cache = user.id, event = "user_{n}_updated")]\n' + PLAIN,
}


def target_directory():
    metadata = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version=1"], cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    return Path(json.loads(metadata.stdout)["target_directory"])


class Crates:
    """The generated crates: a separate workspace that shares the lock file and the target directory."""

    def __init__(self, variants, counts):
        self.target = target_directory()
        self.directory = self.target / "compile-cost"
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        shutil.copy(ROOT / "Cargo.lock", self.directory)
        names = [self._generate(variant, count) for variant in variants for count in counts]
        (self.directory / "Cargo.toml").write_text(f"[workspace]\nresolver = \"3\"\nmembers = {json.dumps(names)}\n")

    def _generate(self, variant, count):
        name = f"{variant}-{count}"
        crate = self.directory / name
        (crate / "src").mkdir(parents=True)
        (crate / "Cargo.toml").write_text(MANIFEST.format(name=name, graceful=ROOT / "graceful"))
        handlers = "\n".join(VARIANTS[variant].format(n=n) for n in range(count))
        # Handlers that are never called would not be compiled.
        table = "".join(f"        |user| Box::pin(update_user_{n}(user)),\n" for n in range(count))
        main = (
            f"pub fn handlers() -> Vec<Handler> {{\n    vec![\n{table}    ]\n}}\n\n"
            "fn main() {\n    for handler in handlers() {\n"
            "        drop(std::hint::black_box(handler(User::default())));\n    }\n}\n"
        )
        (crate / "src/main.rs").write_text(f"{PRELUDE}\n{handlers}\n{main}")
        return name

    def cargo(self, *arguments, **environment):
        # An incremental build would find nothing to do.
        own = {"CARGO_INCREMENTAL": "0", "CARGO_TARGET_DIR": str(self.target)}
        return subprocess.run(
            ["cargo", "--quiet", *arguments],
            cwd=self.directory,
            check=True,
            env={**os.environ, **own, **environment},
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def cpu_seconds(self, command, name, runs):
        """The seconds for the crate alone, the best of several runs."""
        self.cargo(command, "-p", name)

        def once():
            os.utime(self.directory / name / "src/main.rs")
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.cargo(command, "-p", name)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

        best = round(min(once() for _ in range(runs)), 3)
        print(f"cargo {command} {name}: {best} s", file=sys.stderr)
        return best

    def expanded_lines(self, name):
        # If cargo itself had the variable, it would rebuild half of the dependencies.
        wrapper = self.directory / "unstable-rustc"
        wrapper.write_text('#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec "$@"\n')
        wrapper.chmod(0o755)
        expanded = self.cargo(
            "rustc", "-p", name, "--", "-Zunpretty=expanded", RUSTC_WORKSPACE_WRAPPER=str(wrapper)
        )
        # Formatted with the default settings, so that the lines of all variants are comparable.
        formatted = subprocess.run(
            ["rustfmt", "--edition=2024", "--config-path=/dev/null"],
            input=expanded,
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        return sum(1 for line in formatted.stdout.splitlines() if line.strip())

    def llvm_lines(self, name):
        out = self.directory / f"{name}.ll"
        self.cargo("rustc", "-p", name, "--", f"--emit=llvm-ir={out}", "-Ccodegen-units=1", "-Cdebuginfo=0")
        # Instructions are indented; text outside of functions is not.
        return sum(1 for line in out.read_text().splitlines() if line.startswith("  "))

    def text_size(self, name):
        self.cargo("build", "--release", "-p", name)
        listed = subprocess.run(
            ["size", self.target / "release" / name], check=True, stdout=subprocess.PIPE, text=True
        )
        return int(listed.stdout.splitlines()[1].split()[0])


def per_handler(measure, variant, base=0):
    return (measure(f"{variant}-{base + SIZED}") - measure(f"{variant}-{base}")) / SIZED


def sizes(variants=tuple(VARIANTS), text=False):
    """The figures per handler that do not depend on the load of the machine."""
    crates = Crates(variants, (0, SIZED, 2 * SIZED))
    measured = {}
    for variant in variants:
        measured[variant] = {
            "expanded_lines": per_handler(crates.expanded_lines, variant),
            "llvm_lines": per_handler(crates.llvm_lines, variant),
        }
        if text:
            # Without a handler the linker leaves out what all of them share.
            measured[variant]["text_bytes"] = per_handler(crates.text_size, variant, base=SIZED)
    return measured


def seconds(runs):
    crates = Crates(tuple(VARIANTS), COUNTS)
    return {
        command: {
            variant: {count: crates.cpu_seconds(command, f"{variant}-{count}", runs) for count in COUNTS}
            for variant in VARIANTS
        }
        for command in ("check", "build")
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--sizes", action="store_true", help="no times")
    parser.add_argument("--runs", type=int, default=3, help="of which the best counts")
    arguments = parser.parse_args()
    figures = {"per_handler": sizes(text=not arguments.sizes)}
    if not arguments.sizes:
        figures["cpu_seconds"] = seconds(arguments.runs)
    figures = json.dumps(figures, indent=2)
    print(figures)
    if arguments.json:
        arguments.json.write_text(figures + "\n")


if __name__ == "__main__":
    main()
