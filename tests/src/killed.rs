//! A process that is killed when it has done its work, and does nothing in order at its end.

use std::{
    env,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const DIRECTORY: &str = "GRACEFUL_TESTS_KILLED_IN";
const DONE: &str = "done, and waits to be killed";

/// Where the process that is to be killed works; `None` in the test that kills it.
pub fn works_in() -> Option<PathBuf> {
    env::var_os(DIRECTORY).map(PathBuf::from)
}

/// Says that it is done, and waits for its end.
pub async fn done() -> ! {
    println!("{DONE}");
    std::future::pending().await
}

/// Runs one test of this binary in a process of its own, until it is [`done`], and kills it with `SIGKILL`.
pub fn after(test: &str, directory: &Path) {
    let mut process = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
    let said: Vec<String> = lines.take_while(|line| !line.contains(DONE)).collect();
    process.kill().unwrap();
    let ended = process.wait().unwrap();
    assert!(ended.code().is_none(), "it ended by itself: {ended}, {said:?}");
}
