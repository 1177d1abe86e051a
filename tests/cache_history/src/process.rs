//! Processes that call a cache, while the database and the checker are those of their parent.

use std::{net::SocketAddr, process::Stdio, sync::Arc};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{
    link::Client,
    run::{read_at_rest, run},
    source::{Pace, Source},
    system::{System, manual::Manual, read_through::ReadThrough},
    workload::Plan,
};

/// Which cache a process calls.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Kind {
    /// Values that handlers put by hand.
    Manual,
    /// Handlers that read through the cache.
    ReadThrough,
}

/// What a process does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    pub kind: Kind,
    pub plan: Plan,
    pub pace: Pace,
    /// Where the checker is reached.
    pub checker: SocketAddr,
    /// The URL of the cache's server.
    pub cache: String,
    /// The name of the service, which is part of each key.
    pub service: String,
}

const DONE: &str = "done";

impl Job {
    /// In the process: makes the calls. Then, whenever its parent says so, reads everything at rest.
    pub async fn work(self) {
        let source = Source::there(Client::new(self.checker), self.pace.clone(), self.plan.process);
        let cache = graceful_redis::Cache::connect(&self.cache).await.unwrap();
        match self.kind {
            Kind::Manual => self.call(&source, Manual::new(&source, &self.service, cache)).await,
            Kind::ReadThrough => self.call(&source, ReadThrough::new(&source, &self.service, cache)).await,
        }
    }

    async fn call<S: System>(&self, source: &Arc<Source>, system: S) {
        let system = Arc::new(system);
        println!("{DONE}");
        run(source, &system, &self.plan).await;
        println!("{DONE}");
        let mut parent = BufReader::new(tokio::io::stdin()).lines();
        while let Ok(Some(_)) = parent.next_line().await {
            read_at_rest(source, &system, &self.plan).await;
            println!("{DONE}");
        }
    }
}

/// In the parent: a process that works. It ends with this value.
#[derive(Debug)]
pub struct Worker {
    program: &'static str,
    job: Job,
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    /// Starts `program`, which calls [`Job::work`] with the job that it gets as its argument. When this returns, it has reached the
    /// server.
    pub async fn start(program: &'static str, job: Job) -> Self {
        let mut process = Command::new(program)
            .arg(serde_json::to_string(&job).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut worker = Self { program, job, process, input, output };
        worker.done().await;
        worker
    }

    /// Waits until it has started, has made its calls, or has read at rest.
    pub async fn done(&mut self) {
        let line = self.output.next_line().await.unwrap();
        assert_eq!(line.as_deref(), Some(DONE), "the process has ended");
    }

    pub async fn read_at_rest(&mut self) {
        self.input.write_all(b"read\n").await.unwrap();
        self.done().await;
    }

    /// It stands still, as if its machine did, until it [goes on](Self::go_on).
    pub async fn stop(&self) {
        self.signal("STOP").await;
    }

    pub async fn go_on(&self) {
        self.signal("CONT").await;
    }

    async fn signal(&self, name: &str) {
        let process = self.process.id().expect("it has not ended").to_string();
        let sent = Command::new("kill").args(["-s", name, &process]).status().await.unwrap();
        assert!(sent.success(), "{sent}");
    }

    /// Kills it with `SIGKILL`, and starts another one with the same job and other choices.
    pub async fn replace(&mut self) {
        self.process.kill().await.unwrap();
        let mut job = self.job.clone();
        job.plan.process += 1_000;
        *self = Self::start(self.program, job).await;
    }
}
