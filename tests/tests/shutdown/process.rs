//! A server in a process of its own.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    thread,
};

use graceful_tests::gate::{awaited, until};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
};

use crate::child::SETTINGS;

pub struct Process {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    said: Vec<String>,
    pub port: u16,
}

impl Process {
    /// A server that does not wait before it closes, and whose deadline no test reaches.
    pub async fn start(server: &str) -> Self {
        Self::with(server, [0, 0, 600_000]).await
    }

    /// The times for waiting, for live streams and for all, in milliseconds.
    pub async fn with(server: &str, times: [u32; 3]) -> Self {
        let [wait, streams, deadline] = times;
        let mut child = Command::new(env::current_exe().unwrap())
            .env(SETTINGS, format!("{server} {wait} {streams} {deadline}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::unbounded_channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut process = Self { child, lines, said: Vec::new(), port: 0 };
        process.port = process.says("port ").await["port ".len()..].parse().unwrap();
        process
    }

    /// Waits for a line with this text.
    pub async fn says(&mut self, text: &str) -> String {
        while let Some(line) = awaited(self.lines.recv()).await {
            self.said.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
        panic!("it ended without `{text}`: {:#?}", self.said);
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "{sent}");
    }

    /// Asks it to end, and waits until its shutdown has begun.
    pub async fn terminate(&mut self) {
        self.signal("TERM");
        self.says("the shutdown begins").await;
    }

    /// Lets one `work` pass.
    pub fn open_gate(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"open\n").unwrap();
    }

    /// Waits until nobody listens.
    pub async fn closes(&self) {
        until(async || TcpStream::connect(("127.0.0.1", self.port)).await.is_err()).await;
    }

    /// Waits for its end. Returns its exit code and all that it has said.
    pub async fn ended(mut self) -> (Option<i32>, Vec<String>) {
        while let Some(line) = awaited(self.lines.recv()).await {
            self.said.push(line);
        }
        let code = self.child.wait().unwrap().code();
        (code, std::mem::take(&mut self.said))
    }

    pub async fn connect(&self) -> Connection {
        Connection(TcpStream::connect(("127.0.0.1", self.port)).await.unwrap())
    }

    /// Sends a request.
    pub async fn get(&self, path: &str) -> Connection {
        let mut connection = self.connect().await;
        connection.send(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")).await;
        connection
    }
}

/// A test that fails leaves none behind.
impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// HTTP/1.1 by hand.
pub struct Connection(TcpStream);

impl Connection {
    pub async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads until this text has come.
    pub async fn reads(&mut self, text: &str) -> String {
        let mut read = String::new();
        while !read.contains(text) {
            let byte = awaited(self.0.read_u8()).await.unwrap_or_else(|error| panic!("{error} after {read}"));
            read.push(char::from(byte));
        }
        read
    }

    /// Reads to the end of the connection.
    pub async fn rest(&mut self) -> String {
        let mut read = Vec::new();
        // A connection that is reset has ended, too.
        let _ = awaited(self.0.read_to_end(&mut read)).await;
        String::from_utf8(read).unwrap()
    }
}

/// Whether these texts were said in this order.
#[track_caller]
pub fn assert_order(said: &[String], texts: &[&str]) {
    let mut lines = said.iter();
    for text in texts {
        assert!(lines.any(|line| line.contains(text)), "no `{text}` in its place: {said:#?}");
    }
}
