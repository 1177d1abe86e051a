//! Every acknowledged flow was synchronised to the disk. Killing the process does not show that, because what was written to a
//! file outlives the process.
//!
//! Counted by `strace`, on Linux.
#![allow(missing_docs, reason = "tests")]

#[macro_use(test)]
extern crate graceful_tests;

use std::process::{Command, ExitCode};

use graceful_tests::requirement::program;
use tempfile::TempDir;

/// One call of each entity after the other, so that each round of acknowledgements needs a commit of its own.
const ROUNDS: usize = 40;

fn main() -> ExitCode {
    graceful_tests::harness::main()
}

#[test(requires("strace"))]
fn every_acknowledged_group_was_synced() {
    let dir = TempDir::new().unwrap();
    let counts = dir.path().join("counts");
    let output = Command::new(program("strace"))
        .args(["-f", "-c", "-e", "trace=fsync,fdatasync", "-o"])
        .arg(&counts)
        .arg(env!("CARGO_BIN_EXE_durable_child"))
        .arg(dir.path())
        .args(["work", "1", &ROUNDS.to_string()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let counts = std::fs::read_to_string(counts).unwrap();
    let of = |line: &str| line.split_whitespace().nth(3).and_then(|calls| calls.parse::<usize>().ok());
    let syncs: usize = counts.lines().filter(|line| line.ends_with("sync")).filter_map(of).sum();
    let acknowledged = String::from_utf8(output.stdout).unwrap().lines().count();
    assert!(syncs >= ROUNDS, "{syncs} syncs for {acknowledged} acknowledgements:\n{counts}");
}
