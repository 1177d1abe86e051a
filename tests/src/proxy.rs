//! A TCP proxy that fails in the ways in which a network does.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpSocket, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::{Mutex, watch},
    task::JoinHandle,
};

use crate::gate::awaited;

/// How the connections through a [`Proxy`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Up,
    /// Nobody listens, and who was connected is reset.
    Refused,
    /// Who connects, or was connected, is reset.
    Reset,
    /// Who connects is accepted, and then nothing comes through. What was sent comes through when the link is up again.
    BlackHole,
    /// Everything comes through, each part this much later.
    Slow(Duration),
    /// Half of the next request comes through, then a reset.
    HalfSent,
    /// The next request comes through and half of its answer, then a reset.
    HalfAnswered,
}

impl Link {
    /// All ways to fail.
    pub const FAULTS: [Self; 6] = [
        Self::Refused,
        Self::Reset,
        Self::BlackHole,
        Self::Slow(Duration::from_millis(20)),
        Self::HalfSent,
        Self::HalfAnswered,
    ];
}

#[derive(Clone, Copy, Debug)]
struct State {
    link: Link,
    /// A connection from before the last cut is cut, even if the link is up again by then.
    cuts: usize,
    /// Where new connections lead to.
    server: SocketAddr,
}

/// Stands between a client and a server.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: watch::Sender<State>,
    connections: Arc<AtomicUsize>,
    /// What clients have sent since [`record`](Self::record).
    recorded: Recorded,
    listening: Mutex<Option<JoinHandle<()>>>,
    /// It is bound to the port all the time, so that no other socket on this machine gets it while nobody listens.
    _bound: TcpSocket,
}

impl Proxy {
    /// A proxy on a free port, with its link up.
    pub async fn to(server: SocketAddr) -> Self {
        let bound = shared_port(SocketAddr::from(([127, 0, 0, 1], 0)));
        let proxy = Self {
            address: bound.local_addr().unwrap(),
            state: watch::Sender::new(State { link: Link::Up, cuts: 0, server }),
            connections: Arc::default(),
            recorded: Arc::default(),
            listening: Mutex::default(),
            _bound: bound,
        };
        *proxy.listening.lock().await = Some(proxy.listen());
        proxy
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has taken so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Records what clients send from now on.
    pub fn record(&self) {
        self.recorded.send_replace(Some(Vec::new()));
    }

    /// What clients have sent since [`record`](Self::record).
    pub fn recorded(&self) -> Vec<u8> {
        self.recorded.borrow().clone().unwrap_or_default()
    }

    /// Waits until clients have sent this since [`record`](Self::record), even if it has not come through.
    pub async fn until_sent(&self, text: &str) {
        let mut recorded = self.recorded.subscribe();
        let has_sent = |recorded: &Option<Vec<u8>>| {
            recorded.as_ref().is_some_and(|sent| sent.windows(text.len()).any(|sent| sent == text.as_bytes()))
        };
        awaited(recorded.wait_for(has_sent)).await.unwrap();
    }

    /// From the return of this call on, the link is so.
    pub async fn set(&self, link: Link) {
        let mut listening = self.listening.lock().await;
        if link == Link::Refused
            && let Some(task) = listening.take()
        {
            task.abort();
            // Until it has ended, it listens.
            let _ = task.await;
        }
        self.state.send_modify(|state| {
            state.link = link;
            state.cuts += usize::from(matches!(link, Link::Refused | Link::Reset));
        });
        if link != Link::Refused && listening.is_none() {
            *listening = Some(self.listen());
        }
    }

    /// From the return of this call on, new connections lead to this server.
    pub fn lead_to(&self, server: SocketAddr) {
        self.state.send_modify(|state| state.server = server);
    }

    fn listen(&self) -> JoinHandle<()> {
        let listener = shared_port(self.address).listen(1024).unwrap();
        let (state, connections) = (self.state.clone(), Arc::clone(&self.connections));
        let recorded = Arc::clone(&self.recorded);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(connect(client, state.subscribe(), Arc::clone(&recorded)));
            }
        })
    }
}

/// A socket that shares its port with others of this process.
fn shared_port(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.set_reuseport(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

type Recorded = Arc<watch::Sender<Option<Vec<u8>>>>;

async fn connect(mut client: TcpStream, state: watch::Receiver<State>, recorded: Recorded) {
    let State { cuts, server, .. } = *state.borrow();
    if let Ok(mut server) = TcpStream::connect(server).await {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let requests = Pump { state: state.clone(), cuts, half: Link::HalfSent, recorded: Some(recorded) };
        let answers = Pump { state, cuts, half: Link::HalfAnswered, recorded: None };
        tokio::select! {
            () = requests.run(from_client, to_server) => {}
            () = answers.run(from_server, to_client) => {}
        }
        let _ = server.set_zero_linger();
    }
    // Closed so, a connection is reset.
    let _ = client.set_zero_linger();
}

/// One direction of a connection.
struct Pump {
    state: watch::Receiver<State>,
    /// How often the link had been cut when it was made.
    cuts: usize,
    /// The link that breaks here, half-way.
    half: Link,
    recorded: Option<Recorded>,
}

impl Pump {
    /// Until either side closes, or the link breaks.
    async fn run(mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) {
        let mut buffer = vec![0; 64 * 1024];
        while let Some(link) = self.link() {
            let length = tokio::select! {
                biased;
                changed = self.state.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return,
                },
                read = from.read(&mut buffer), if link != Link::BlackHole => match read {
                    Ok(length @ 1..) => length,
                    _ => return,
                },
            };
            if let Some(recorded) = &self.recorded {
                recorded.send_if_modified(|recorded| {
                    recorded.as_mut().map(|sent| sent.extend_from_slice(&buffer[..length])).is_some()
                });
            }
            if link == self.half {
                let _ = to.write_all(&buffer[..length / 2]).await;
                return;
            }
            if let Link::Slow(delay) = link {
                tokio::time::sleep(delay).await;
            }
            if to.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
    }

    /// `None` where it is cut.
    fn link(&mut self) -> Option<Link> {
        let State { link, cuts, .. } = *self.state.borrow_and_update();
        (cuts == self.cuts && !matches!(link, Link::Refused | Link::Reset)).then_some(link)
    }
}
