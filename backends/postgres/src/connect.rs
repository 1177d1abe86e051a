//! Connecting: the pool, what is behind it, and whether the tables are those that are needed.

use std::{sync::Arc, time::Duration};

use graceful::backends::{
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

use super::{Store, TIMEOUT, begin, migrate, transaction};

/// How many connections a pool of ours has, unless its URL says otherwise.
const CONNECTIONS: u32 = 10;

/// How long the first connection, the look at the tables and making them may take.
const START: Duration = Duration::from_secs(10);

impl Store {
    /// Connects to `postgres://[user[:password]@]host[:port][/database][?options]`, with the options of sqlx and libpq, and one
    /// more: `max_connections`, 10 by default. A relay has one beyond them, to listen by, and
    /// the transactions of subscribers as many.
    ///
    /// The tables must be there: [`migrate`](Self::migrate) makes them.
    ///
    /// # Errors
    /// The URL is none of PostgreSQL, nobody answers there within 10 seconds, the server refuses, the database is not in UTF-8, or
    /// its tables are missing, older or newer than this version's.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), graceful::backends::client::ConnectError> {
    /// let store = graceful_postgres::Store::connect("postgres://127.0.0.1/users?max_connections=4").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        let (options, connections) = parse(url)?;
        let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(START);
        // A subscriber's transaction keeps its connection as long as its handler takes: the steps have others.
        let inbox = pool.clone().connect_lazy_with(options.clone());
        Self::over(pool.connect_lazy_with(options), inbox).await
    }

    /// Uses a pool of your own, with its size and its settings. A relay makes one more connection, to listen by.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
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
            pool,
            inbox,
            place: place.into(),
            timeout: TIMEOUT,
            claimer: Uuid::from_u128(fastrand::u128(..)),
            breaker: Arc::new(Breaker::new("PostgreSQL")),
            appending: Arc::default(),
            idle: Arc::default(),
            is_pooled: server.is_pooled,
            in_transactions: server.is_pooled || server.isolation != "read committed",
            runtime: Handle::current(),
        })
    }

    /// Makes the tables that are missing, in the first schema of the search path; where none is, it changes nothing, and needs no
    /// right to. It is for the role that owns the tables, when a new version is deployed. Several processes may do so at once.
    ///
    /// # Errors
    /// As [`connect`](Self::connect), or the role may not create tables.
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
        let (options, _) = parse(url)?;
        let made = async {
            let mut connection = PgConnection::connect_with(&options).await?;
            if migrate::state(&mut connection).await?.is_some() {
                migrate::run(&mut connection).await.map_err(|error| sqlx::Error::Migrate(Box::new(error)))?;
            }
            connection.close().await
        };
        within(&place(&options), made).await
    }
}

/// No part of the URL in what is told: it may be a password.
fn parse(text: &str) -> Result<(PgConnectOptions, u32), ConnectError> {
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
        .partition(|parameter| parameter.starts_with("max_connections="));
    let server = format!("{server}?{}", others.join("&"));
    // Of an option that it does not know, the parser would log the value.
    let options = tracing::dispatcher::with_default(&tracing::Dispatch::none(), || server.parse());
    let options: PgConnectOptions = options.map_err(|_| wrong())?;
    // `PgBouncer` refuses the parameter, and nothing of ours is a float.
    let options = options.extra_float_digits(None);
    let connections = match own.last() {
        None => CONNECTIONS,
        Some(own) => own["max_connections=".len()..]
            .parse()
            .ok()
            .filter(|connections| *connections > 0)
            .ok_or_else(|| ConnectError::new("`max_connections` is not a number; expected 1 or more"))?,
    };
    Ok((options, connections))
}

fn place(options: &PgConnectOptions) -> String {
    url::place("PostgreSQL", options.get_host(), options.get_port())
}

async fn within<T>(
    place: &str,
    work: impl Future<Output = Result<T, sqlx::Error>> + Send,
) -> Result<T, ConnectError> {
    match in_real_time(timeout(START, work)).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(ConnectError::new(format!("{place} cannot be used: {error}"))),
        Err(_) => Err(ConnectError::new(format!("{place} does not answer within {START:?}"))),
    }
}

/// What there is behind a pool of connections.
struct Server {
    encoding: String,
    isolation: String,
    is_pooled: bool,
    tables: Option<String>,
}

impl Server {
    async fn look(pool: &PgPool) -> Result<Self, sqlx::Error> {
        let is_pooled = is_pooled(pool).await?;
        let mut connection = pool.acquire().await?;
        // Without parameters, and so without a prepared statement that a pooler would not know.
        let settings = "SELECT current_setting('server_encoding') AS encoding, \
                        current_setting('default_transaction_isolation') AS isolation";
        let settings = sqlx::raw_sql(settings).fetch_one(&mut *connection).await?;
        Ok(Self {
            encoding: settings.try_get("encoding")?,
            isolation: settings.try_get("isolation")?,
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

/// How long a statement may take that waits for nobody.
const ALONE: Duration = Duration::from_millis(500);

/// A pooler may give a transaction, by chance, the connection that the one before it had.
const PROBES: usize = 3;

/// Whether there is a pooler in between that gives each transaction another connection to the server: `PgBouncer` in transaction mode.
/// Where it has one only, we would wait for ourselves.
async fn is_pooled(pool: &PgPool) -> Result<bool, sqlx::Error> {
    let mut other = PgConnection::connect_with(&pool.connect_options()).await?;
    for _ in 0..PROBES {
        let mut connection = pool.acquire().await?;
        let before = server_process(&mut connection).await?;
        let held = begin(&mut other).await?;
        let Ok(after) = timeout(ALONE, server_process(&mut connection)).await else {
            // It is in the middle of something.
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
