//! One connection that many share, made again when it is lost.

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

/// How long the first connection may take.
const START: Duration = Duration::from_secs(5);

static WRITE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("write.lua")));

pub(super) struct Connection {
    client: Client,
    #[cfg(feature = "tls")]
    encrypted: Option<Encrypted>,
    live: Mutex<Live>,
    /// ClaimId by whoever connects, while the others wait.
    connecting: AsyncMutex<()>,
    breaker: Breaker,
}

/// What all commands share.
#[derive(Default)]
struct Live {
    connection: Option<MultiplexedConnection>,
    /// How many there have been.
    number: u64,
}

/// What is asked of the server.
pub(super) enum Command {
    Plain(Cmd),
    /// Puts a value, or invalidates a key where there is none, and answers 1; 0 where what is there is newer.
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
    /// Connects, so that a wrong URL, address or password is told at once.
    pub(super) async fn open(url: &str) -> Result<Self, ConnectError> {
        #[cfg(feature = "tls")]
        let encrypted = Encrypted::of(url).map_err(ConnectError::new)?;
        #[cfg(feature = "tls")]
        let url = encrypted.as_ref().map_or(url, |(_, url)| url.as_str());
        // No part of the URL in what is told: it may be a password.
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

    /// Why a server that answers will not do.
    async fn checked(&self) -> RedisResult<Option<&'static str>> {
        let (mut connection, _) = self.connected().await?;
        match ::redis::cmd("INFO").query_async::<String>(&mut connection).await {
            Ok(info) => Ok(unfit(&info)),
            // A user who may not ask, or a server that only speaks the same protocol: what it is, its answers will show.
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

    /// Asks within a time, again on a new connection if the one at hand turns out to be lost, and not at all while the
    /// breaker is open.
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
            Ok(Err(error)) if !is_away(&error) => {
                attempt.succeeded();
                Ok(Err(error))
            }
            Ok(Err(error)) => {
                attempt.failed();
                self.forget(used);
                Err(self.away(&error.to_string()))
            }
            Err(_) => {
                attempt.failed();
                // A connection that swallows what it is given is worth no more than none.
                self.forget(used);
                Err(self.away(&format!("no answer within {within:?}")))
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
        // The one limit of time is the caller's.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let mut connection = self.made(config).await?;
        // Where a password is missing, this is the first command to be refused.
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

    /// Unless there is a newer one already.
    fn forget(&self, used: Option<u64>) {
        let mut live = self.live();
        if used == Some(live.number) {
            live.connection = None;
        }
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn away(&self, why: &str) -> StepError {
        StepError::new(smol_str::format_smolstr!("{}: {why}", self.place()))
    }
}

impl Live {
    fn shared(&self) -> Option<(MultiplexedConnection, u64)> {
        self.connection.clone().map(|connection| (connection, self.number))
    }
}

/// By what the server says of itself.
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

/// Whether it is the server or the way to it that failed, and not the command.
fn is_away(error: &RedisError) -> bool {
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
