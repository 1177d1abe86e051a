//! Faults of connections, of the server, and of a process.

use std::time::Duration;

use fastrand::Rng;
use graceful_tests::{
    gate::until,
    proxy::{Link, Proxy},
    servers::Server,
};
use graceful_tests_cache_history::process::Worker;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::sleep,
};

/// What goes wrong in a run, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// The connections of one process, or of all, are reset.
    Cut,
    /// Nothing comes through for a while, and then all of it does.
    Stall,
    /// Everything comes later.
    Delay,
    /// The server is killed, and started with what it had saved some time before.
    Restart,
    /// The server has too little memory, and evicts what was not used for long.
    Evict,
    /// A process stands still for longer than its holds last.
    Stop,
    /// A process is killed, and another one started in its place.
    Kill,
}

/// How long a hold lasts, and somewhat longer.
const LONGER_THAN_A_HOLD: Duration = Duration::from_secs(31);

/// What the faults befall.
#[derive(Debug)]
pub struct World {
    pub server: Server,
    /// One for each process.
    pub proxies: Vec<Proxy>,
    pub workers: Vec<Worker>,
    pub random: Rng,
}

impl World {
    /// Makes a fault happen, and mends it.
    pub async fn suffer(&mut self, fault: Fault) {
        let befallen = self.random.usize(..self.proxies.len());
        let time = Duration::from_millis(self.random.u64(5..400));
        match fault {
            Fault::None | Fault::Evict => sleep(time).await,
            Fault::Cut => self.link(befallen, Link::Reset, Duration::ZERO).await,
            Fault::Stall => self.link(befallen, Link::BlackHole, time).await,
            Fault::Delay => self.link(befallen, Link::Slow(time / 10), 4 * time).await,
            Fault::Restart => self.restart(time).await,
            Fault::Stop => {
                self.workers[befallen].stop().await;
                sleep(LONGER_THAN_A_HOLD).await;
                self.workers[befallen].go_on().await;
            }
            Fault::Kill => {
                sleep(time).await;
                self.workers[befallen].replace().await;
            }
        }
        sleep(time).await;
    }

    /// The link of one process, or of all, is so for a while.
    async fn link(&mut self, befallen: usize, link: Link, time: Duration) {
        let all = self.random.bool();
        let befallen = if all { 0..self.proxies.len() } else { befallen..befallen + 1 };
        for proxy in &self.proxies[befallen.clone()] {
            proxy.set(link).await;
        }
        sleep(time).await;
        for proxy in &self.proxies[befallen] {
            proxy.set(Link::Up).await;
        }
    }

    /// Until every process has found its server again, which takes as long as its circuit breaker is open.
    async fn restart(&mut self, time: Duration) {
        until(|| self.has_entries()).await;
        self.command("SAVE").await;
        sleep(time).await;
        self.server.kill();
        self.server.start_again().await;
        assert!(self.has_entries().await, "the snapshot has no entries");
        // Each process has a connection, and this one.
        let processes = self.proxies.len() as u64;
        until(async || self.counted("clients", "connected_clients").await > processes).await;
    }

    async fn has_entries(&self) -> bool {
        self.command("DBSIZE").await.lines().next() != Some(":0")
    }

    /// Sends a command to the server itself.
    pub async fn command(&self, command: &str) -> String {
        let mut server = TcpStream::connect(self.server.address()).await.unwrap();
        server.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        server.read_to_string(&mut answer).await.unwrap();
        assert!(!answer.starts_with('-'), "{command}: {answer}");
        answer
    }

    /// A number that the server counts.
    pub async fn counted(&self, section: &str, name: &str) -> u64 {
        let info = self.command(&format!("INFO {section}")).await;
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|number| number.trim().parse().ok()).unwrap_or_else(|| panic!("no {name} in {info}"))
    }

    pub async fn evicted(&self) -> u64 {
        self.counted("stats", "evicted_keys").await
    }

    /// Gives the server this much more memory than it uses now, and lets it evict.
    pub async fn limit_memory(&self, more: u64) {
        let limit = self.counted("memory", "used_memory").await + more;
        self.command("CONFIG SET maxmemory-policy allkeys-lru").await;
        self.command(&format!("CONFIG SET maxmemory {limit}")).await;
    }
}
