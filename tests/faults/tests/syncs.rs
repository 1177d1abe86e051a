//! Every acknowledged flow was synchronised to the disk. Killing the process does not show that, because what was written to a
//! file outlives the process.
//!
//! Counted by `strace`, on Linux.
#![allow(missing_docs, reason = "tests")]
#![cfg(target_os = "linux")]

use std::process::Command;

use tempfile::TempDir;

/// One call of each entity after the other, so that each round of acknowledgements needs a commit of its own.
const ROUNDS: usize = 40;

#[test]
fn every_acknowledged_group_was_synced() {
    if Command::new("strace").arg("-V").output().is_err() {
        assert!(
            std::env::var_os("GRACEFUL_REQUIRE_SERVICES").is_none(),
            "strace is not installed, and GRACEFUL_REQUIRE_SERVICES asks for it"
        );
        eprintln!("SKIPPED: strace is not installed, so nobody counts the syncs");
        return;
    }
    let dir = TempDir::new().unwrap();
    let counts = dir.path().join("counts");
    let output = Command::new("strace")
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
    println!("{acknowledged} acknowledgements, {syncs} syncs");
}
