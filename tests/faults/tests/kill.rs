//! The process is killed with SIGKILL at random moments: no acknowledged flow is lost.
//!
//! `cargo xtask soak` kills more often than `cargo xtask ci` does.
#![allow(missing_docs, reason = "tests")]

use std::{
    collections::BTreeSet,
    io::Read as _,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use graceful_faults::verdict;
use tempfile::TempDir;

const CHILD: &str = env!("CARGO_BIN_EXE_durable_child");

/// Runs go on until there were as many calls, too.
const CALLS: usize = 20_000;

#[tokio::test]
async fn nothing_acknowledged_is_lost() {
    let kills = std::env::var("GRACEFUL_KILLS").map_or(50, |kills| kills.parse().expect("a number of kills"));
    let dir = TempDir::new().unwrap();
    let mut acknowledged = BTreeSet::new();
    let mut run = 0;
    while run < kills || acknowledged.len() < CALLS {
        run += 1;
        let first = run * 1_000_000;
        let mut child = Command::new(CHILD)
            .arg(dir.path())
            .args(["work", &first.to_string(), "1000000"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // The moment is any moment: that is what is tested.
        thread::sleep(Duration::from_millis(fastrand::u64(20..700)));
        child.kill().unwrap();
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        child.wait().unwrap();
        // A line is whole, or it was not said.
        let whole = &said[..said.rfind('\n').map_or(0, |end| end + 1)];
        acknowledged.extend(whole.lines().filter_map(verdict::call));
    }
    let drained = Command::new(CHILD).arg(dir.path()).arg("drain").status().unwrap();
    assert!(drained.success());
    let delivered = verdict::check(dir.path(), &acknowledged, true).await;
    println!("{run} kills, {} acknowledged, {delivered} delivered", acknowledged.len());
}
