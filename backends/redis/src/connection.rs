//! A shared connection that is re-established when it is lost.

use std::{
    fmt,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ErrorKind, RedisError, RedisResult, Script,
    ServerErrorKind, aio::MultiplexedConnection,
};
use graceful::{
    StepError,
    backends::client::{
        Breaker, ConnectError, in_real_time,
        url::{ENCODE, is_well_formed, place},
    },
};
use tokio::{sync::Mutex as AsyncMutex, time::timeout};

#[cfg(feature = "tls")]
use super::tls::Encrypted;

/// The timeout of the first connection.
const START: Duration = Duration::from_secs(5);

static WRITE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("write.lua")));

pub(super) struct Connection {
    client: Client,
    #[cfg(feature = "tls")]
    encrypted: Option<Encrypted>,
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
}

/// A command to the server.
pub(super) enum Command {
    Plain(Cmd),
    /// Puts a value, or invalidates the key if there is no value. Returns 1, or 0 if a newer version is cached.
    Write {
        name: String,
        version: String,
        ttl: String,
        value: Option<Vec<u8>>,
    },
}

impl Command {
    async fn sent<T: ::redis::FromRedisValue>(&self, to: &mut MultiplexedConnection) -> RedisResult<T> {
        match self {
            Self::Plain(command) => command.query_async(to).await,
            Self::Write { name, version, ttl, value } => {
                WRITE.key(name).arg(version).arg(ttl).arg(value.as_deref()).invoke_async(to).await
            }
        }
    }
}

impl Connection {
    /// Connects at once, so that a wrong URL, address or password is reported at start.
    pub(super) async fn open(url: &str) -> Result<Self, ConnectError> {
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

    /// Returns why a server that answers is unsuitable.
    async fn checked(&self) -> RedisResult<Option<&'static str>> {
        let (mut connection, _) = self.connected().await?;
        match ::redis::cmd("INFO").query_async::<String>(&mut connection).await {
            Ok(info) => Ok(unfit(&info)),
            // The user lacks the right to run INFO, or the server is only compatible with Redis: it cannot be checked.
            Err(error) if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn place(&self) -> String {
        match self.client.get_connection_info().addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                place("Redis", host, *port)
            }
            _ => "Redis".to_owned(),
        }
    }

    /// Runs a command with a timeout. Repeats it on a new connection if the current one is lost, and fails at once while the circuit breaker
    /// is open.
    pub(super) async fn ask<T: ::redis::FromRedisValue>(
        &self,
        command: &Command,
        within: Duration,
    ) -> Result<RedisResult<T>, StepError> {
        let attempt = self.breaker.admit()?;
        let mut used = None;
        let answer = timeout(within, async {
            let answer = self.ask_once(command, &mut used).await;
            match answer {
                Err(error) if error.is_connection_dropped() && used.is_some() => {
                    self.forget(used.take());
                    self.ask_once(command, &mut used).await
                }
                answer => answer,
            }
        })
        .await;
        match answer {
            Ok(Ok(answer)) => {
                attempt.succeeded();
                Ok(Ok(answer))
            }
            Ok(Err(error)) if !is_unavailable(&error) => {
                attempt.succeeded();
                Ok(Err(error))
            }
            Ok(Err(error)) => {
                attempt.failed();
                self.forget(used);
                Err(self.unavailable(&error.to_string()))
            }
            Err(_) => {
                attempt.failed();
                // A connection that does not answer is as good as lost.
                self.forget(used);
                Err(self.unavailable(&format!("no answer within {within:?}")))
            }
        }
    }

    async fn ask_once<T: ::redis::FromRedisValue>(
        &self,
        command: &Command,
        used: &mut Option<u64>,
    ) -> RedisResult<T> {
        let (mut connection, number) = self.connected().await?;
        *used = Some(number);
        command.sent(&mut connection).await
    }

    async fn connected(&self) -> RedisResult<(MultiplexedConnection, u64)> {
        if let Some(live) = self.live().shared() {
            return Ok(live);
        }
        let _turn = self.connecting.lock().await;
        if let Some(live) = self.live().shared() {
            return Ok(live);
        }
        // The caller's timeout is the only one.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let mut connection = self.made(config).await?;
        // If a password is missing, the server refuses this command first.
        let () = ::redis::cmd("PING").query_async(&mut connection).await?;
        let mut live = self.live();
        live.number += 1;
        live.connection = Some(connection.clone());
        Ok((connection, live.number))
    }

    async fn made(&self, config: AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
        #[cfg(feature = "tls")]
        if let Some(encrypted) = &self.encrypted {
            return encrypted.connected(&self.client, config).await;
        }
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Drops the connection, unless it was replaced already.
    fn forget(&self, used: Option<u64>) {
        let mut live = self.live();
        if used == Some(live.number) {
            live.connection = None;
        }
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unavailable(&self, why: &str) -> StepError {
        StepError::new(format_args!("{}: {why}", self.place()))
    }
}

impl Live {
    fn shared(&self) -> Option<(MultiplexedConnection, u64)> {
        self.connection.clone().map(|connection| (connection, self.number))
    }
}

/// Returns why the server is unsuitable, by its `INFO`.
fn unfit(info: &str) -> Option<&'static str> {
    let is = |line: &str| info.lines().any(|said| said.trim_end() == line);
    if is("redis_mode:cluster") || is("cluster_enabled:1") {
        return Some(
            "is a node of a Redis Cluster, which refuses (`MOVED`) the keys of the other nodes: use a server with `cluster-enabled no`, \
             or a proxy that speaks for the whole cluster",
        );
    }
    if is("redis_mode:sentinel") {
        return Some("is a Sentinel, which stores nothing: use the address of the server that it watches");
    }
    if is("role:slave") && !is("slave_read_only:0") {
        return Some("is a replica, which refuses writes (`READONLY`): use the address of its primary");
    }
    None
}

/// Whether the server or the connection failed, not the command.
fn is_unavailable(error: &RedisError) -> bool {
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
