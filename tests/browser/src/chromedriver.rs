//! The processes of a browser.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use graceful_tests::requirement;
use tempfile::TempDir;

/// Kills the whole process group when its standard input is closed, as the kernel does also if the test is killed, or when `ChromeDriver` ends.
const SCRIPT: &str = r#"{ "$0" --port=0; kill -s KILL 0; } & cat > /dev/null; kill -s KILL 0"#;

/// A `ChromeDriver` on a free port, which has a process group of its own: Chromium's processes belong to it. All end with it.
#[derive(Debug)]
pub(crate) struct Chromedriver {
    process: Child,
    port: u16,
    /// The profile of its Chromium, and all other files of the two.
    pub(crate) directory: TempDir,
    /// Open, because a program that prints to a closed pipe ends.
    _output: BufReader<ChildStdout>,
}

impl Chromedriver {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut process = Command::new("sh")
            .args(["-c", SCRIPT])
            .arg(requirement::program("chromedriver"))
            .env("TMPDIR", directory.path())
            .env("HOME", directory.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut printed = String::new();
        let port = loop {
            let length = output.read_line(&mut printed).unwrap();
            assert!(length > 0, "chromedriver has ended; it printed: {printed}");
            if let Some((_, port)) = printed.split_once("started successfully on port ") {
                break port.trim().trim_end_matches('.').parse().unwrap();
            }
        };
        Self { process, port, directory, _output: output }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn group(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        // This closes its standard input.
        let _ = self.process.wait();
        // The kernel ends the processes of Chromium a little later, and until then they may write files.
        let start = Instant::now();
        while fs::remove_dir_all(self.directory.path()).is_err()
            && self.directory.path().exists()
            && start.elapsed() < Duration::from_secs(10)
        {
            thread::sleep(Duration::from_millis(5));
        }
    }
}
