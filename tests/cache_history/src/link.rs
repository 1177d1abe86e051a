//! The database and the checker, and how other processes reach them: one line of JSON for a request, and one for the reply.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufStream},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{
    call::{Call, Caller, Ending},
    checker::Checker,
    data::{Order, Orders, Subject, User, Version, Write},
    database::Database,
    report::Report,
};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    Begin {
        caller: Caller,
        call: Call,
        at_rest: bool,
    },
    Load {
        /// The call whose load it is.
        call: Option<u64>,
        subject: Subject,
    },
    Commit {
        operation: u64,
        write: Write,
    },
    End {
        operation: u64,
        ending: Ending,
    },
    /// How many calls have begun?
    Progress,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Reply {
    Begun(u64),
    User(Option<User>),
    Order(Option<Order>),
    Orders(Orders),
    Committed(Version),
    Ended,
    Progress(u64),
}

/// What all tasks of all processes share. Each request is atomic.
#[derive(Clone, Debug)]
pub struct Shared {
    state: Arc<Mutex<(Database, Checker)>>,
    /// How many calls have begun.
    progress: watch::Sender<u64>,
}

impl Shared {
    pub fn new(seed: u64) -> Self {
        let state = Arc::new(Mutex::new((Database::default(), Checker::new(seed))));
        Self { state, progress: watch::Sender::new(0) }
    }

    pub fn report(&self) -> Report {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1.report().clone()
    }

    /// How many calls have begun.
    pub fn progress(&self) -> u64 {
        *self.progress.borrow()
    }

    /// Waits until so many calls have begun.
    pub async fn reaches(&self, operations: u64) {
        self.progress.subscribe().wait_for(|begun| *begun >= operations).await.unwrap();
    }

    pub fn ask(&self, request: Request) -> Reply {
        let (database, checker) = &mut *self.state.lock().unwrap();
        match request {
            Request::Begin { caller, call, at_rest } => {
                let operation = checker.begin(caller, call, at_rest);
                self.progress.send_replace(operation);
                Reply::Begun(operation)
            }
            Request::Load { call, subject } => {
                checker.load(call);
                match subject {
                    Subject::User(id) => Reply::User(database.user(id)),
                    Subject::Order(id) => Reply::Order(database.order(id)),
                    Subject::Orders(customer) => Reply::Orders(database.orders(customer)),
                }
            }
            Request::Commit { operation, write } => {
                let version = database.commit(write.change);
                checker.commit(operation, write, version, database);
                Reply::Committed(version)
            }
            Request::End { operation, ending } => {
                checker.end(operation, &ending);
                Reply::Ended
            }
            Request::Progress => Reply::Progress(checker.report().operations),
        }
    }

    /// Answers other processes on a free port, as long as the runtime lives.
    pub async fn serve(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                tokio::spawn(async move { shared.answer(Connection::new(stream)).await });
            }
        });
        address
    }

    /// Until the other process closes the connection, or is killed.
    async fn answer(&self, mut connection: Connection) {
        while let Some(request) = connection.receive().await {
            if connection.send(&self.ask(request)).await.is_none() {
                return;
            }
        }
    }
}

#[derive(Debug)]
struct Connection(BufStream<TcpStream>);

impl Connection {
    fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self(BufStream::new(stream))
    }

    async fn send(&mut self, message: &impl Serialize) -> Option<()> {
        let mut line = serde_json::to_vec(message).unwrap();
        line.push(b'\n');
        self.0.write_all(&line).await.ok()?;
        self.0.flush().await.ok()
    }

    /// `None` if the connection ended. The last line of a process that was killed may be incomplete.
    async fn receive<T: for<'a> Deserialize<'a>>(&mut self) -> Option<T> {
        let mut line = String::new();
        self.0.read_line(&mut line).await.ok()?;
        line.ends_with('\n').then(|| serde_json::from_str(&line).unwrap())
    }
}

/// Reaches what another process shares. Each request in progress has a connection.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    idle: Mutex<Vec<Connection>>,
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, idle: Mutex::default() }
    }

    pub async fn ask(&self, request: Request) -> Reply {
        let idle = self.idle.lock().unwrap().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => Connection::new(TcpStream::connect(self.address).await.unwrap()),
        };
        connection.send(&request).await.expect("the process with the checker has ended");
        let reply = connection.receive().await.expect("the process with the checker has ended");
        self.idle.lock().unwrap().push(connection);
        reply
    }
}
