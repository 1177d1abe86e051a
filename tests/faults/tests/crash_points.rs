//! Each failpoint of a durable flow is interrupted by an abort, an error and a delay: no acknowledged flow is lost.
#![allow(missing_docs, reason = "tests")]

use std::process::{Command, Stdio};

use graceful_faults::verdict;
use tempfile::TempDir;

const CHILD: &str = env!("CARGO_BIN_EXE_durable_child");

fn run(dir: &TempDir, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(CHILD).arg(dir.path()).args(arguments).stderr(Stdio::null()).output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

/// It is reached by what is given up only.
const DEAD: &str = "dead";

async fn interrupted(action: &str) {
    for point in graceful::__private010::CRASH_POINTS.into_iter().filter(|point| *point != DEAD) {
        let dir = TempDir::new().unwrap();
        let mut acknowledged = std::collections::BTreeSet::new();
        // At its first time, and in the middle of work.
        for (run_of, skipped) in ["0", "7", "40"].into_iter().enumerate() {
            let first = ((run_of + 1) * 1_000_000).to_string();
            let at = format!("{point}={action}:{skipped}");
            let (ended, said) = run(&dir, &["work", &first, "40", &at]);
            // The end of the work may come before the point does for the last time.
            match (action, skipped) {
                ("abort", "0") => assert!(!ended, "{at} is never reached: {said}"),
                ("abort", _) => {}
                _ => assert!(ended, "{at}: {said}"),
            }
            acknowledged.extend(said.lines().filter_map(verdict::call));
        }
        let (drained, _) = run(&dir, &["drain"]);
        assert!(drained, "after {point}={action}");
        let all_stored = action != "error" || !["insert", "commit", "committed"].contains(&point);
        let delivered = verdict::check(dir.path(), &acknowledged, all_stored).await;
        assert!(delivered > 0, "{point}={action}");
    }
}

/// The same of what can only be given up.
async fn interrupted_when_given_up(action: &str) {
    for point in ["step", "settle", DEAD, "settled"] {
        let dir = TempDir::new().unwrap();
        let mut acknowledged = std::collections::BTreeSet::new();
        for (run_of, skipped) in ["0", "3"].into_iter().enumerate() {
            let first = ((run_of + 1) * 1000).to_string();
            let at = format!("{point}={action}:{skipped}");
            let (ended, said) = run(&dir, &["doom", &first, "10", &at]);
            assert_eq!(ended, action != "abort", "{at}: {said}");
            acknowledged.extend(said.lines().filter_map(verdict::call));
        }
        let (drained, _) = run(&dir, &["doom", "9000", "1"]);
        assert!(drained, "after {point}={action}");
        verdict::check_the_doomed(dir.path(), &acknowledged).await;
    }
}

#[tokio::test]
async fn abort_on_the_way_to_a_dead_letter_loses_no_flow() {
    interrupted_when_given_up("abort").await;
}

#[tokio::test]
async fn error_on_the_way_to_a_dead_letter_loses_no_flow() {
    interrupted_when_given_up("error").await;
}

#[tokio::test]
async fn delay_on_the_way_to_a_dead_letter_loses_no_flow() {
    interrupted_when_given_up("delay").await;
}

#[tokio::test]
async fn abort_at_each_failpoint_loses_no_flow() {
    interrupted("abort").await;
}

#[tokio::test]
async fn error_at_each_failpoint_loses_no_flow() {
    interrupted("error").await;
}

#[tokio::test]
async fn delay_at_each_failpoint_loses_no_flow() {
    interrupted("delay").await;
}
