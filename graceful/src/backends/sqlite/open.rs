//! Opening the store: settings, migrations, the version of SQLite.

use std::{fmt, path::Path, sync::Arc, time::Duration};

use sqlx::{
    AssertSqlSafe, Connection as _, SqlSafeStr as _, SqliteConnection,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::runtime::Handle;

use super::{Inner, Store, writer::Writer};
use crate::backends::connect::in_real_time;

/// Versions before lose data when a checkpoint meets a reset of the WAL: see <https://sqlite.org/wal.html#walresetbug>.
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];

/// How long a writer waits for another process, or for a transaction of the user's.
const BUSY: Duration = Duration::from_secs(5);

const READERS: u32 = 4;

/// Why a store cannot be opened.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let error = graceful::backends::sqlite::Store::open("/no/such/directory/app.db").await.unwrap_err();
/// assert!(error.to_string().starts_with("the store `/no/such/directory/app.db` cannot be opened"));
/// # });
/// ```
#[derive(Debug)]
pub struct OpenError {
    path: String,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store `{}` cannot be opened: {}", self.path, self.source)
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

#[cfg(feature = "graph")]
impl OpenError {
    pub(super) fn new(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { path: path.display().to_string(), source: source.into() }
    }
}

impl Store {
    /// Opens the store, and makes what is missing: the file, and the tables.
    ///
    /// # Errors
    /// The file cannot be opened, is no database, or has the tables of a newer version.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let path = std::env::temp_dir().join(format!("graceful-open-{}.db", std::process::id()));
    /// let store = graceful::backends::sqlite::Store::open(&path).await?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), graceful::backends::sqlite::OpenError>(())
    /// # }).unwrap();
    /// ```
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let opened = in_real_time(open(path)).await;
        opened.map_err(|source| OpenError { path: path.display().to_string(), source })
    }

    /// Opens `graceful.db` in a directory, which is made if it is missing.
    pub(crate) async fn open_in(dir: &Path) -> Result<Self, OpenError> {
        let failed =
            |error: std::io::Error| OpenError { path: dir.display().to_string(), source: error.into() };
        std::fs::create_dir_all(dir).map_err(failed)?;
        Self::open(dir.join("graceful.db")).await
    }
}

async fn open(path: &Path) -> Result<Store, Box<dyn std::error::Error + Send + Sync>> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let options = options.create_if_missing(false);
    check_version(&mut connection).await?;
    migrate(&mut connection).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .connect_lazy_with(options.clone().pragma("query_only", "1"));
    let inbox = SqlitePoolOptions::new().max_connections(1).acquire_timeout(BUSY).connect_lazy_with(options);
    let (path, runtime) = (path.to_owned(), Handle::current());
    let writer = Writer::start(connection, &runtime);
    Ok(Store(Arc::new(Inner { path, writer, readers, inbox, runtime })))
}

async fn check_version(
    connection: &mut SqliteConnection,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(connection).await?;
    let parts: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    if parts.as_slice() < OLDEST_SQLITE.as_slice() {
        return Err(format!("SQLite {version} may lose data: 3.51.3 is the oldest that does not").into());
    }
    Ok(())
}

/// In a table of our own, beside the migrations of the user's.
async fn migrate(connection: &mut SqliteConnection) -> Result<(), sqlx::migrate::MigrateError> {
    let migration = |version, name: &'static str, sql: &'static str| {
        let sql = AssertSqlSafe(sql).into_sql_str();
        Migration::new(version, name.into(), MigrationType::Simple, sql, false)
    };
    let mut migrator = Migrator::with_migrations(vec![
        migration(1, "store", include_str!("migrations/1_store.sql")),
        migration(2, "graph and alerts", include_str!("migrations/2_graph_and_alerts.sql")),
        migration(3, "inbox", include_str!("migrations/3_inbox.sql")),
        migration(10, "lanes", include_str!("migrations/10_lanes.sql")),
        migration(40, "incidents", include_str!("migrations/40_incidents.sql")),
        migration(50, "inbox attempts", include_str!("migrations/50_inbox_attempts.sql")),
    ]);
    migrator.dangerous_set_table_name("graceful_migrations");
    // Another process may be at it: whoever comes second finds it done.
    for _ in 0..ANOTHER_PROCESS {
        if migrator.run_direct(None, &mut *connection, false).await.is_ok() {
            return Ok(());
        }
    }
    migrator.run_direct(None, connection, false).await
}

/// How often somebody else may have come first.
const ANOTHER_PROCESS: usize = 3;
