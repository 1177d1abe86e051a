//! A shared connection that is re-established when it is lost.

use std::{
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ::redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, FromRedisValue, RedisError, RedisResult,
    ServerErrorKind, aio::MultiplexedConnection,
};
use graceful::{
    StepError, Text,
    backends::client::{
        Breaker, ConnectError, in_real_time,
        url::{ENCODE, is_well_formed, place},
    },
};
use tokio::{sync::Mutex as AsyncMutex, time::timeout};

#[cfg(feature = "tls")]
use super::tls::Encrypted;
use super::{
    command::{Admission, Answer, Command, Sending},
    process::{Process, Told, unsuitable},
};

/// The timeout of the first connection.
const START: Duration = Duration::from_secs(5);

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
        let Shared { mut connection, .. } = self.connected(&Used::default()).await?;
        match ::redis::cmd("INFO").query_async::<String>(&mut connection).await {
            Ok(info) => Ok(unsuitable(&info)),
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
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        command: &Command,
        within: Duration,
    ) -> Result<RedisResult<T>, StepError> {
        let used = Used::default();
        let once = async || {
            let mut shared = self.connected(&used).await?;
            command.sent(&mut shared.connection).await
        };
        let work = async {
            match once().await {
                Err(error) if self.is_lost(&error, &used) => once().await,
                answer => answer,
            }
        };
        self.guarded(Admission::WhileClosed, within, &used, work).await
    }

    /// Runs a command that is made for the process at the other end of the connection, which is known for at most a second. The
    /// command is made anew when it is sent again. Without a command nothing is sent: the first time this is no failure.
    pub(super) async fn ask_process<T: FromRedisValue, S>(
        &self,
        admission: Admission,
        within: Duration,
        command: impl Fn(&Process, Sending) -> Option<(Command, S)>,
    ) -> Result<RedisResult<Option<Answer<T, S>>>, StepError> {
        let used = Used::default();
        let once = async |sending| {
            let Shared { mut connection, told, .. } = self.known(&used).await?;
            let process = match told.process {
                Ok(process) => process,
                Err(why) => return Ok(Err(why)),
            };
            let Some((command, sent)) = command(&process, sending) else { return Ok(Ok(None)) };
            let reply = command.sent(&mut connection).await?;
            Ok(Ok(Some(Answer { reply, process, sent })))
        };
        let work = async {
            match once(Sending::First).await {
                Err(error) if self.is_lost(&error, &used) => match once(Sending::Again).await {
                    Ok(Ok(None)) => Err(error),
                    answer => answer,
                },
                answer => answer,
            }
        };
        match self.guarded(admission, within, &used, work).await? {
            Ok(Ok(answer)) => Ok(Ok(answer)),
            Ok(Err(why)) => Err(StepError::new(self.unfit_because(&why))),
            Err(error) => Ok(Err(error)),
        }
    }

    /// Why handlers cannot read through the server, as far as it has told.
    pub(super) fn unfit(&self) -> Option<Text> {
        let why = self.live().told.as_ref()?.process.as_ref().err().cloned()?;
        Some(self.unfit_because(&why))
    }

    fn unfit_because(&self, why: &str) -> Text {
        Text::from(format_args!("handlers cannot read through {}: {why}", self.place()))
    }

    /// Whether a call failed because its connection is lost, which is dropped then.
    fn is_lost(&self, error: &RedisError, used: &Used) -> bool {
        let is_lost = error.is_connection_dropped() && used.get() != 0;
        if is_lost {
            self.forget(used);
        }
        is_lost
    }

    /// Limits the time of a call, and tells the circuit breaker how it ended.
    async fn guarded<T>(
        &self,
        admission: Admission,
        within: Duration,
        used: &Used,
        work: impl Future<Output = RedisResult<T>>,
    ) -> Result<RedisResult<T>, StepError> {
        let attempt = match admission {
            Admission::WhileClosed => self.breaker.admit()?,
            Admission::Always => self.breaker.attempt(),
        };
        match timeout(within, work).await {
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
        match Told::ask(&mut shared.connection, Some(&shared.told)).await {
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
        let told = Told::ask(&mut connection, before.as_ref()).await?;
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

    fn unavailable(&self, why: &str) -> StepError {
        StepError::new(format_args!("{}: {why}", self.place()))
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
