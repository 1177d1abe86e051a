//! HTTP by hand, for what no client would show: what a server was sent, and what it says in its own words.

use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use crate::gate::awaited;

/// What a server of this machine answers: status and body. Its end is the connection's end.
pub async fn ask(port: u16, method: &str, path: &str, content_type: &str, body: &str) -> (u16, String) {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.0\r\nhost: localhost\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
    );
    connection.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    awaited(connection.read_to_end(&mut answer)).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split_whitespace().nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

pub async fn get(port: u16, path: &str) -> String {
    let (status, body) = ask(port, "GET", path, "text/plain", "").await;
    assert_eq!(status, 200, "{body}");
    body
}

/// A server that takes what it is sent, and answers with one status.
#[derive(Debug)]
pub struct Inbox {
    port: u16,
    status: Arc<AtomicU16>,
    requests: mpsc::UnboundedReceiver<Request>,
}

#[derive(Clone, Debug)]
pub struct Request {
    /// In lower case, as they came.
    pub head: String,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no `{name}` in {}", self.head))
    }
}

impl Inbox {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let status = Arc::new(AtomicU16::new(204));
        let (sender, requests) = mpsc::unbounded_channel();
        let answer = Arc::clone(&status);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(take(connection, Arc::clone(&answer), sender.clone()));
            }
        });
        Self { port, status, requests }
    }

    pub fn url(&self, userinfo: &str, path: &str) -> String {
        format!("http://{userinfo}127.0.0.1:{}{path}", self.port)
    }

    /// From now on.
    pub fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    pub async fn next(&mut self) -> Request {
        awaited(self.requests.recv()).await.unwrap()
    }

    /// What else has come by now.
    pub fn rest(&mut self) -> Vec<Request> {
        std::iter::from_fn(|| self.requests.try_recv().ok()).collect()
    }
}

async fn take(
    mut connection: TcpStream,
    status: Arc<AtomicU16>,
    requests: mpsc::UnboundedSender<Request>,
) -> Option<()> {
    let mut taken = Vec::new();
    let (head, body) = loop {
        let mut chunk = [0; 4096];
        let read = connection.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        taken.extend_from_slice(&chunk[..read]);
        let Some(end) = taken.windows(4).position(|end| end == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&taken[..end]).into_owned();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let body = &taken[end + 4..];
        if body.len() >= length.unwrap_or(0) {
            break (head, String::from_utf8_lossy(body).into_owned());
        }
    };
    let status = status.load(Ordering::SeqCst);
    requests.send(Request { head, body }).ok()?;
    let answer = format!(
        "HTTP/1.1 {status} \r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 4\r\nconnection: close\r\n\r\nwho?"
    );
    connection.write_all(answer.as_bytes()).await.ok()
}
