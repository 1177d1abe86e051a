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
        TcpListener, TcpSocket, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::{Mutex, watch},
    task::JoinHandle,
};

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

/// Stands between a client and a server.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    server: SocketAddr,
    link: watch::Sender<Link>,
    connections: Arc<AtomicUsize>,
    listening: Mutex<Option<JoinHandle<()>>>,
}

impl Proxy {
    /// A proxy on a free port, with its link up.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            server,
            link: watch::Sender::new(Link::Up),
            connections: Arc::default(),
            listening: Mutex::new(None),
        };
        *proxy.listening.lock().await = Some(proxy.listen(listener));
        proxy
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has taken so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
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
        self.link.send_replace(link);
        if link != Link::Refused && listening.is_none() {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseaddr(true).unwrap();
            socket.bind(self.address).unwrap();
            *listening = Some(self.listen(socket.listen(1024).unwrap()));
        }
    }

    fn listen(&self, listener: TcpListener) -> JoinHandle<()> {
        let (server, link, connections) = (self.server, self.link.clone(), Arc::clone(&self.connections));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(connect(client, server, link.subscribe()));
            }
        })
    }
}

async fn connect(mut client: TcpStream, server: SocketAddr, mut link: watch::Receiver<Link>) {
    if let Ok(mut server) = TcpStream::connect(server).await {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let mut answers = link.clone();
        tokio::select! {
            () = pump(from_client, to_server, &mut link, Link::HalfSent) => {}
            () = pump(from_server, to_client, &mut answers, Link::HalfAnswered) => {}
        }
        let _ = server.set_zero_linger();
    }
    // Closed so, a connection is reset.
    let _ = client.set_zero_linger();
}

/// Until either side closes, or the link breaks.
async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, link: &mut watch::Receiver<Link>, half: Link) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let now = *link.borrow_and_update();
        if matches!(now, Link::Refused | Link::Reset) {
            return;
        }
        let read = tokio::select! {
            changed = link.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
            read = from.read(&mut buffer), if now != Link::BlackHole => read,
        };
        let Ok(length @ 1..) = read else { return };
        match now {
            Link::Slow(delay) => tokio::time::sleep(delay).await,
            now if now == half => {
                let _ = to.write_all(&buffer[..length / 2]).await;
                return;
            }
            _ => {}
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
