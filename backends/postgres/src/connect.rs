//! Connects: creates the pool, and checks the server and the tables.

use std::{sync::Arc, time::Duration};

use graceful::backends::{
    ProcessRole,
    client::{
        Breaker, ConnectError, in_real_time,
        url::{self, ENCODE},
    },
    escaped,
};
use sqlx::{
    Connection as _, PgConnection, PgPool, Row as _,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{runtime::Handle, time::timeout};
use uuid::Uuid;

use super::{Store, TIMEOUT, begin, migrate, operators, probe::Probe, transaction};

/// The default number of connections of the pool.
const CONNECTIONS: u32 = 10;

/// The default number of connections of the pool of subscribers: as many as their handlers run concurrently.
const SUBSCRIBER_CONNECTIONS: u32 = 32;

/// The timeout of connecting at start, including the check of the tables.
const START: Duration = Duration::from_secs(10);

/// The timeout of a migration, which makes indexes of large tables, and waits for the migration by another process.
const MIGRATION: Duration = Duration::from_hours(1);

impl Store {
    /// Connects to `postgres://[user[:password]@]host[:port][/database][?options]`. The options are those of sqlx and libpq, and
    /// `max_connections`, 10 by default, `max_subscriber_connections` for the transactions of subscribers, 32 by default, and
    /// [`allow_asynchronous_commit`](Self::allow_asynchronous_commit). In addition a relay has one connection for notifications, and queries of operators have up to
    /// two. Connections are opened when they are needed.
    ///
    /// The tables must exist: [`migrate`](Self::migrate) creates them. In a process with the [role](ProcessRole) `Migration`, this does, too.
    ///
    /// # Errors
    /// Fails if the URL is invalid, the server does not answer within 10 seconds or refuses, the encoding of the database is not UTF-8, or
    /// the tables are missing or those of another version.
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// let store = graceful_postgres::Store::connect("postgres://127.0.0.1/users?max_connections=4").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        let Parsed { options, connections, subscriber_connections, allows_asynchronous_commit } = parse(url)?;
        let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(START);
        // A subscriber's transaction occupies a connection as long as its handler runs, so the steps use another pool.
        let inbox = pool.clone().max_connections(subscriber_connections).connect_lazy_with(options.clone());
        let store = Self::over(pool.connect_lazy_with(options), inbox).await?;
        Ok(if allows_asynchronous_commit { store.allow_asynchronous_commit() } else { store })
    }

    /// Uses your own pool, with its size and settings. A relay opens one more connection for notifications, and queries of operators open up to
    /// two, with the settings of your pool.
    ///
    /// # Errors
    /// Fails like [`connect`](Self::connect).
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = sqlx::PgPool::connect("postgres://127.0.0.1/users").await?;
    /// let store = graceful_postgres::Store::from_pool(pool).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn from_pool(pool: PgPool) -> Result<Self, ConnectError> {
        Self::over(pool.clone(), pool).await
    }

    async fn over(pool: PgPool, inbox: PgPool) -> Result<Self, ConnectError> {
        let place = place(&pool.connect_options());
        if ProcessRole::current() == ProcessRole::Migration {
            let mut connection = within(&place, pool.acquire()).await?;
            migrate_missing(&place, &mut connection).await?;
        }
        let server = within(&place, Server::look(&pool)).await?;
        if let Some(why) = server.is_unfit() {
            return Err(ConnectError::new(format!("{place} cannot be used: {why}")));
        }
        if server.is_pooled {
            transaction::meets_poolers();
            tracing::info!(
                target: "graceful::postgres",
                "{} is a pooler in transaction mode, which does not support notifications: relays find new flows by polling",
                escaped(&place)
            );
        }
        Ok(Self {
            operators: operators::pool(&pool),
            pool,
            inbox,
            place: place.into(),
            timeout: TIMEOUT,
            claimer: Uuid::from_u128(fastrand::u128(..)),
            breaker: Arc::new(Breaker::new("PostgreSQL")),
            waiting: Arc::default(),
            newest_event: Arc::default(),
            idle: Arc::default(),
            probe: Probe::default(),
            is_pooled: server.is_pooled,
            commits_asynchronously: server.synchronous_commit == "off",
            in_transactions: server.is_pooled || server.isolation != "read committed",
            runtime: Handle::current(),
        })
    }

    /// Creates missing tables in the first schema of the search path, and migrates older ones. If none is missing, it changes nothing, and needs no
    /// rights to. Call it as the role that owns the tables when you deploy a new version. Several processes may call it concurrently. In a
    /// process with the [role](ProcessRole) `Operator` it does nothing.
    ///
    /// # Errors
    /// Fails like [`connect`](Self::connect), or if the role may not create tables.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// use graceful_postgres::Store;
    ///
    /// Store::migrate("postgres://owner:secret@db.internal/users").await?;
    /// let store = Store::connect("postgres://service:secret@db.internal/users").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn migrate(url: &str) -> Result<(), ConnectError> {
        let options = parse(url)?.options;
        if !ProcessRole::current().changes_schema() {
            return Ok(());
        }
        let place = place(&options);
        let mut connection = within(&place, PgConnection::connect_with(&options)).await?;
        migrate_missing(&place, &mut connection).await?;
        within(&place, connection.close()).await
    }
}

async fn migrate_missing(place: &str, connection: &mut PgConnection) -> Result<(), ConnectError> {
    if within(place, migrate::state(connection)).await?.is_none() {
        return Ok(());
    }
    let run = async { migrate::run(connection).await.map_err(|error| sqlx::Error::Migrate(Box::new(error))) };
    answered(place, MIGRATION, run).await
}

/// A URL.
struct Parsed {
    options: PgConnectOptions,
    connections: u32,
    subscriber_connections: u32,
    allows_asynchronous_commit: bool,
}

/// The options that are not those of the server.
const OWN: [&str; 3] = ["max_connections", "max_subscriber_connections", "allow_asynchronous_commit"];

/// Parses a URL. The error contains no part of it, because any part may be a password.
fn parse(text: &str) -> Result<Parsed, ConnectError> {
    let wrong = || {
        ConnectError::new(format!(
            "not a URL of PostgreSQL; expected `postgres://user@host/database`{ENCODE}"
        ))
    };
    if !url::is_well_formed(text) {
        return Err(wrong());
    }
    let (server, parameters) = text.split_once('?').unwrap_or((text, ""));
    let (own, others): (Vec<_>, Vec<_>) = parameters
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .partition(|parameter| parameter.split_once('=').is_some_and(|(name, _)| OWN.contains(&name)));
    let server = format!("{server}?{}", others.join("&"));
    // The parser would log the value of an unknown option.
    let options = tracing::dispatcher::with_default(&tracing::Dispatch::none(), || server.parse());
    let options: PgConnectOptions = options.map_err(|_| wrong())?;
    // `PgBouncer` refuses this parameter, and the tables contain no floats.
    let options = options.extra_float_digits(None);
    let mut parsed = Parsed {
        options,
        connections: CONNECTIONS,
        subscriber_connections: SUBSCRIBER_CONNECTIONS,
        allows_asynchronous_commit: false,
    };
    for parameter in own {
        match parameter.split_once('=') {
            Some((name @ ("max_connections" | "max_subscriber_connections"), connections)) => {
                let number = connections.parse().ok().filter(|connections| *connections > 0);
                let number = number.ok_or_else(|| {
                    ConnectError::new(format!("`{name}` is not a number; expected 1 or more"))
                })?;
                match name {
                    "max_connections" => parsed.connections = number,
                    _ => parsed.subscriber_connections = number,
                }
            }
            Some((_, allowed)) => {
                let allowed = allowed.parse();
                parsed.allows_asynchronous_commit = allowed.map_err(|_| {
                    ConnectError::new(
                        "the value of `allow_asynchronous_commit` is unknown; expected `true` or `false`",
                    )
                })?;
            }
            None => {}
        }
    }
    Ok(parsed)
}

fn place(options: &PgConnectOptions) -> String {
    url::place("PostgreSQL", options.get_host(), options.get_port())
}

async fn within<T>(
    place: &str,
    work: impl Future<Output = Result<T, sqlx::Error>> + Send,
) -> Result<T, ConnectError> {
    answered(place, START, work).await
}

async fn answered<T>(
    place: &str,
    time: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>> + Send,
) -> Result<T, ConnectError> {
    match in_real_time(timeout(time, work)).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(ConnectError::new(format!("{place} cannot be used: {error}"))),
        Err(_) => Err(ConnectError::new(format!("{place} does not answer within {time:?}"))),
    }
}

/// The server behind a pool.
struct Server {
    encoding: String,
    isolation: String,
    synchronous_commit: String,
    is_pooled: bool,
    tables: Option<String>,
}

impl Server {
    async fn look(pool: &PgPool) -> Result<Self, sqlx::Error> {
        let is_pooled = is_pooled(pool).await?;
        let mut connection = pool.acquire().await?;
        // Without parameters there is no prepared statement, which a pooler might not support.
        let settings = "SELECT current_setting('server_encoding') AS encoding, \
                        current_setting('default_transaction_isolation') AS isolation, \
                        current_setting('synchronous_commit') AS synchronous_commit";
        let settings = sqlx::raw_sql(settings).fetch_one(&mut *connection).await?;
        Ok(Self {
            encoding: settings.try_get("encoding")?,
            isolation: settings.try_get("isolation")?,
            synchronous_commit: settings.try_get("synchronous_commit")?,
            is_pooled,
            tables: migrate::state(&mut connection).await?,
        })
    }

    fn is_unfit(&self) -> Option<String> {
        let Self { encoding, tables, .. } = self;
        if encoding != "UTF8" {
            return Some(format!(
                "its encoding is {encoding}, which cannot hold every text: create the database with `ENCODING 'UTF8'`"
            ));
        }
        tables.clone()
    }
}

/// The timeout of a statement that waits for no other session.
const ALONE: Duration = Duration::from_millis(500);

/// The number of probes: a pooler may by chance assign the same connection twice.
const PROBES: usize = 3;

/// Whether a pooler in transaction mode, such as `PgBouncer`, assigns another server connection to each transaction. If it has only one server
/// connection, the probe would wait for itself, hence the timeout.
async fn is_pooled(pool: &PgPool) -> Result<bool, sqlx::Error> {
    let mut other = PgConnection::connect_with(&pool.connect_options()).await?;
    for _ in 0..PROBES {
        let mut connection = pool.acquire().await?;
        let before = server_process(&mut connection).await?;
        let held = begin(&mut other).await?;
        let Ok(after) = timeout(ALONE, server_process(&mut connection)).await else {
            // A statement is still running on this connection.
            drop(connection.detach());
            return Ok(true);
        };
        if after? != before {
            return Ok(true);
        }
        held.rollback().await?;
    }
    other.close().await?;
    Ok(false)
}

async fn server_process(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    sqlx::raw_sql("SELECT pg_backend_pid()").fetch_one(connection).await?.try_get(0)
}
