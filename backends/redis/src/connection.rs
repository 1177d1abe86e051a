//! A shared connection that is re-established when it is lost.

mod calls;

use std::{
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ::redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, RedisError, RedisResult, ServerErrorKind,
    aio::MultiplexedConnection,
};
use graceful::{
    Text,
    backends::client::{
        Breaker, ConnectError, in_real_time,
        url::{ENCODE, is_well_formed, place},
    },
};
use tokio::{sync::Mutex as AsyncMutex, time::timeout};

#[cfg(feature = "tls")]
use super::tls::Encrypted;
use super::{
    durability::Loss,
    process::{Told, unsuitable},
};

/// The timeout of the first connection.
const START: Duration = Duration::from_secs(5);

pub(super) struct Connection {
    client: Client,
    #[cfg(feature = "tls")]
    encrypted: Option<Encrypted>,
    loss: Loss,
    live: Mutex<Live>,
    /// Held while one task connects and the others wait.
    connecting: AsyncMutex<()>,
    breaker: Breaker,
}

/// The connection that all commands share.
#[derive(Default)]
struct Live {
    connection: Option<MultiplexedConnection>,
    /// The number of connections so far.
    number: u64,
    /// What the server of the last connection told, also if that connection is lost.
    told: Option<Told>,
}

/// A connection, and what its server told.
struct Shared {
    connection: MultiplexedConnection,
    number: u64,
    told: Told,
}

/// The number of the connection that a call uses; 0 before it has one.
#[derive(Default)]
struct Used(AtomicU64);

impl Connection {
    /// Connects at once, so that a wrong URL, address or password is reported at start.
    pub(super) async fn open(url: &str, loss: Loss) -> Result<Self, ConnectError> {
        #[cfg(feature = "tls")]
        let encrypted = Encrypted::of(url).map_err(ConnectError::new)?;
        #[cfg(feature = "tls")]
        let url = encrypted.as_ref().map_or(url, |(_, url)| url.as_str());
        // The error contains no part of the URL, because any part may be a password.
        let client = Client::open(url).ok().filter(|_| is_well_formed(url)).ok_or_else(|| {
            ConnectError::new(format!(
                "not a URL of Redis; expected `redis://user:password@host:port/database`{ENCODE}"
            ))
        })?;
        let this = Self {
            client,
            #[cfg(feature = "tls")]
            encrypted: encrypted.map(|(encrypted, _)| encrypted),
            loss,
            live: Mutex::default(),
            connecting: AsyncMutex::default(),
            breaker: Breaker::new("Redis"),
        };
        match in_real_time(timeout(START, this.checked())).await {
            Ok(Ok(None)) => Ok(this),
            Ok(Ok(Some(why))) => Err(ConnectError::new(format!("{} {why}", this.place()))),
            Ok(Err(error)) => Err(ConnectError::new(format!("{} cannot be used: {error}", this.place()))),
            Err(_) => Err(ConnectError::new(format!("{} does not answer within {START:?}", this.place()))),
        }
    }

    /// A connection of its own to the same server, which is made by the first call, in the runtime of that call.
    pub(super) fn another(&self, loss: Loss) -> Self {
        Self {
            client: self.client.clone(),
            #[cfg(feature = "tls")]
            encrypted: self.encrypted.clone(),
            loss,
            live: Mutex::default(),
            connecting: AsyncMutex::default(),
            breaker: Breaker::new("Redis"),
        }
    }

    /// Returns why a server that answers is unsuitable.
    async fn checked(&self) -> RedisResult<Option<Text>> {
        let Shared { mut connection, told, .. } = self.connected(&Used::default()).await?;
        let unsuitable = match ::redis::cmd("INFO").query_async::<String>(&mut connection).await {
            Ok(info) => unsuitable(&info),
            // The user lacks the right to run INFO, or the server is only compatible with Redis: it cannot be checked.
            Err(error) if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension) => None,
            Err(error) => return Err(error),
        };
        Ok(unsuitable.map(Text::new_static).or(told.losses))
    }

    fn place(&self) -> String {
        match self.client.get_connection_info().addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                place("Redis", host, *port)
            }
            _ => "Redis".to_owned(),
        }
    }

    async fn connected(&self, used: &Used) -> RedisResult<Shared> {
        if let Some(shared) = self.shared(used) {
            return Ok(shared);
        }
        let _turn = self.connecting.lock().await;
        match self.shared(used) {
            Some(shared) => Ok(shared),
            None => self.connect(used).await,
        }
    }

    /// The connection, with what its server told at most a second ago. If it tells something else now, this is another process, and
    /// the connection is dropped.
    async fn known(&self, used: &Used) -> RedisResult<Shared> {
        if let Some(shared) = self.shared(used).filter(|shared| shared.told.is_believed()) {
            return Ok(shared);
        }
        let _turn = self.connecting.lock().await;
        let Some(mut shared) = self.shared(used) else { return self.connect(used).await };
        if shared.told.is_believed() {
            return Ok(shared);
        }
        match Told::ask(&mut shared.connection, Some(&shared.told), self.loss).await {
            Ok(told) if told.is_same(&shared.told) => {
                let mut live = self.live();
                if live.number == shared.number {
                    live.told = Some(told.clone());
                }
                return Ok(Shared { told, ..shared });
            }
            Err(error) if !error.is_connection_dropped() => return Err(error),
            // Nothing of this call was sent yet.
            _ => self.forget(used),
        }
        self.connect(used).await
    }

    async fn connect(&self, used: &Used) -> RedisResult<Shared> {
        // The caller's timeout is the only one.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let mut connection = self.made(config).await?;
        // If a password is missing, the server refuses this command first.
        let () = ::redis::cmd("PING").query_async(&mut connection).await?;
        let before = self.live().told.clone();
        let told = Told::ask(&mut connection, before.as_ref(), self.loss).await?;
        let mut live = self.live();
        live.number += 1;
        live.connection = Some(connection.clone());
        live.told = Some(told.clone());
        used.set(live.number);
        Ok(Shared { connection, number: live.number, told })
    }

    fn shared(&self, used: &Used) -> Option<Shared> {
        let live = self.live();
        let (connection, told) = (live.connection.clone()?, live.told.clone()?);
        used.set(live.number);
        Some(Shared { connection, number: live.number, told })
    }

    async fn made(&self, config: AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
        #[cfg(feature = "tls")]
        if let Some(encrypted) = &self.encrypted {
            return encrypted.connected(&self.client, config).await;
        }
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Drops the connection, unless it was replaced already.
    fn forget(&self, used: &Used) {
        let mut live = self.live();
        if used.get() == live.number {
            live.connection = None;
        }
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Used {
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, number: u64) {
        self.0.store(number, Ordering::Relaxed);
    }
}

/// Whether the server or the connection failed, not the command.
pub(super) fn is_unavailable(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, MasterDown, ReadOnly};
    error.is_io_error()
        || error.is_unrecoverable_error()
        || matches!(
            error.kind(),
            ErrorKind::AuthenticationFailed | ErrorKind::Server(BusyLoading | MasterDown | ReadOnly)
        )
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("place", &self.place())
            .field("breaker", &self.breaker)
            .finish_non_exhaustive()
    }
}
