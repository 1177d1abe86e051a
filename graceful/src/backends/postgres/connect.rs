//! Connecting: the pool, the tables.

use std::{sync::Arc, time::Duration};

use sqlx::{
    AssertSqlSafe, PgConnection, SqlSafeStr as _,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{runtime::Handle, time::timeout};
use uuid::Uuid;

use super::{Store, TIMEOUT};
use crate::backends::{ConnectError, breaker::Breaker, connect::in_real_time};

const CONNECTIONS: u32 = 10;

/// How the server finds out, within half a minute, that a subscriber's machine has vanished: nothing else ends its transaction.
const VANISHED: [(&str, &str); 3] =
    [("tcp_keepalives_idle", "15"), ("tcp_keepalives_interval", "5"), ("tcp_keepalives_count", "3")];

/// How long the first connection and the tables may take.
const START: Duration = Duration::from_secs(10);

impl Store {
    /// Connects to `postgres://[user[:password]@]host[:port][/database][?options]`, with the options of sqlx and libpq, and
    /// makes the tables that are missing.
    ///
    /// # Errors
    /// The URL is none of PostgreSQL, nobody answers there within 10 seconds, the server refuses, or its tables are those of
    /// a newer version.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), graceful::backends::ConnectError> {
    /// let store = graceful::backends::postgres::Store::connect("postgres://127.0.0.1/users").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        // No URL in what is told: it may hold a password.
        let options: PgConnectOptions = url
            .parse()
            .map_err(|_| ConnectError::new("no URL of PostgreSQL: `postgres://user@host/database`"))?;
        let place = format!("PostgreSQL at {}:{}", options.get_host(), options.get_port());
        // A relay that has vanished in the middle of a transaction must not hold what it has locked.
        let silent = TIMEOUT.as_millis().to_string();
        let pool = |options| {
            PgPoolOptions::new()
                .max_connections(CONNECTIONS)
                .acquire_timeout(START)
                .connect_lazy_with(options)
        };
        // A subscriber's transaction is idle while its handler waits for something else, and its connection is busy: neither
        // concerns the steps.
        let inbox = pool(options.clone().options(VANISHED));
        let pool = pool(options.options([("idle_in_transaction_session_timeout", silent)]));
        let made = timeout(START, async {
            let mut connection = pool.acquire().await?;
            migrate(&mut connection).await.map_err(|error| sqlx::Error::Migrate(Box::new(error)))
        });
        match in_real_time(made).await {
            Ok(Ok(())) => {
                let (place, claimer) = (place.into(), Uuid::from_u128(fastrand::u128(..)));
                let breaker = Arc::new(Breaker::new("PostgreSQL"));
                let (appending, runtime) = (Arc::default(), Handle::current());
                Ok(Self { pool, inbox, place, timeout: TIMEOUT, claimer, breaker, appending, runtime })
            }
            Ok(Err(error)) => Err(ConnectError::new(format!("{place} cannot be used: {error}"))),
            Err(_) => Err(ConnectError::new(format!("{place} does not answer within {START:?}"))),
        }
    }
}

/// In a table of our own, beside the migrations of the user's; of several processes, one after the other.
async fn migrate(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let migration = |version, name: &'static str, sql: &'static str| {
        let sql = AssertSqlSafe(sql).into_sql_str();
        Migration::new(version, name.into(), MigrationType::Simple, sql, false)
    };
    let mut migrator = Migrator::with_migrations(vec![
        migration(1, "store", include_str!("migrations/1_store.sql")),
        migration(2, "claims", include_str!("migrations/2_claims.sql")),
        migration(3, "alerts", include_str!("migrations/3_alerts.sql")),
        migration(10, "heads", include_str!("migrations/10_heads.sql")),
        migration(40, "incidents", include_str!("migrations/40_incidents.sql")),
        migration(50, "inbox attempts", include_str!("migrations/50_inbox_attempts.sql")),
    ]);
    migrator.dangerous_set_table_name("graceful_migrations");
    migrator.run_direct(None, connection, false).await
}
