//! The commands of `examples/README.md` for the example `users`: each prints the documented answer, and the service logs the
//! documented lines.
#![allow(missing_docs, reason = "tests")]

#[macro_use(test)]
extern crate graceful_tests;

use std::{
    env,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

const README: &str = include_str!("../README.md");
const START: &str = "cargo run --example users";

/// Where the README says that it listens.
const REST: &str = "127.0.0.1:8080";
const GRPC: &str = "127.0.0.1:50051";

fn main() -> ExitCode {
    graceful_tests::harness::main()
}

#[test(requires("curl"))]
fn commands_of_the_readme_answer_as_written() {
    let directory = tempfile::tempdir().unwrap();
    let mut service = None;
    let mut walked = 0;
    for (kind, text) in blocks() {
        match kind {
            "console" => {
                for (command, expected) in commands(text) {
                    if command == START {
                        if let Some(service) = service.take() {
                            Service::stop(service);
                        }
                        service = Some(Service::start(directory.path(), expected));
                    } else {
                        let service: &Service = service.as_ref().expect("it is started first");
                        let told = service.asked_until(command, expected);
                        assert!(is(&told, expected), "$ {command}\n{told}\n is not\n{expected}");
                    }
                    walked += 1;
                }
            }
            "text" => service.as_mut().expect("it is started first").says(text),
            _ => {}
        }
    }
    service.take().expect("it is started").stop();
    assert_eq!(walked, 16, "commands of the README");
}

/// The blocks of the section, each with its kind.
fn blocks() -> impl Iterator<Item = (&'static str, &'static str)> {
    let section = README.split("\n## ").find(|section| section.starts_with("A complete service\n"));
    let fenced = section.expect("the README has it").split("```").skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').unwrap())
}

/// The commands of a transcript, each with its output.
fn commands(transcript: &str) -> impl Iterator<Item = (&str, &str)> {
    transcript.split("$ ").skip(1).map(|command| command.split_once('\n').unwrap())
}

/// Whether a text is what was expected, which leaves out what differs each time.
fn is(text: &str, expected: &str) -> bool {
    match expected.split_once('…') {
        None => text == expected,
        Some((before, after)) => text.starts_with(before) && text.ends_with(after),
    }
}

struct Service {
    process: Child,
    output: BufReader<ChildStdout>,
    rest: String,
}

impl Service {
    /// On free ports; otherwise as the README says.
    fn start(directory: &Path, expected: &str) -> Self {
        let mut process = Command::new(example())
            .args(["sqlite://users.db", "127.0.0.1:0", "127.0.0.1:0"])
            .current_dir(directory)
            .stdout(Stdio::piped())
            .spawn()
            .expect("`cargo test`, or `cargo build --examples`, has built it");
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let mut addresses = line.split(['/', ',', ';']).filter(|part| part.starts_with("127.0.0.1:"));
        let [rest, grpc] = [(); 2].map(|()| addresses.next().unwrap_or_else(|| panic!("no address: {line}")));
        assert_eq!(line, expected.replace(REST, rest).replace(GRPC, grpc));
        let rest = rest.to_owned();
        Self { process, output, rest }
    }

    fn asked(&self, command: &str) -> String {
        let command = command.replace(REST, &self.rest);
        let ended = Command::new("sh").args(["-c", &command]).output().unwrap();
        assert!(ended.status.success(), "{command}: {}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8(ended.stdout).unwrap()
    }

    /// Asks until the answer is as expected: a projection follows the events, and what is not a projection answers so at once.
    fn asked_until(&self, command: &str, expected: &str) -> String {
        let began = Instant::now();
        loop {
            let told = self.asked(command);
            let waits = command.contains("/domains") && began.elapsed() < Duration::from_secs(60);
            if is(&told, expected) || !waits {
                return told;
            }
        }
    }

    /// Reads on until the report comes, whole.
    fn says(&mut self, report: &str) {
        let mut lines = report.lines();
        let first = lines.next().unwrap();
        let mut line = String::new();
        while line.trim_end() != first {
            line.clear();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "it has not said: {first}");
        }
        for expected in lines {
            line.clear();
            self.output.read_line(&mut line).unwrap();
            assert_eq!(line.trim_end(), expected);
        }
    }

    /// By Ctrl-C.
    fn stop(mut self) {
        let asked = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        assert!(asked.unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Cargo builds the examples beside the tests.
fn example() -> PathBuf {
    let tests = env::current_exe().unwrap();
    tests.ancestors().nth(2).unwrap().join("examples/users")
}
