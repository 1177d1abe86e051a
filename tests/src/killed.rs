//! Processes that are killed, and do nothing in order at their end.

use std::{
    env,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
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
    let mut process = command(test, directory).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
    let said: Vec<String> = lines.take_while(|line| !line.contains(DONE)).collect();
    process.kill().unwrap();
    let ended = process.wait().unwrap();
    assert!(ended.code().is_none(), "it ended by itself: {ended}, {said:?}");
}

/// The command that runs one test of this binary in a process of its own, which [works](works_in) in the directory.
pub fn command(test: &str, directory: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(DIRECTORY, directory);
    command
}

/// One test of this binary in a process of its own, which works until it is killed.
#[derive(Debug)]
pub struct Working(Child);

impl Working {
    pub fn start(test: &str, directory: &Path) -> Self {
        Self(command(test, directory).stdout(Stdio::null()).spawn().unwrap())
    }

    /// It stands still, as if its machine did, until it [goes on](Self::go_on).
    pub fn stop(&self) {
        self.signal("STOP");
    }

    pub fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success(), "{sent}");
    }

    /// With `SIGKILL`.
    pub fn kill(mut self) {
        assert!(self.0.try_wait().unwrap().is_none(), "it ended by itself");
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A test that fails leaves none behind.
impl Drop for Working {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
