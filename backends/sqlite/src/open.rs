//! Opens the store: its URL, settings and migrations, and the check of SQLite's version.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use graceful::backends::{
    ProcessRole,
    client::{ConnectError, in_real_time},
};
use graceful_sql::Migrations;
use sqlx::{
    Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::runtime::Handle;

use super::{Inner, Store, file::File, operators, probe::Probe, turns::Turns, writer::Writer};

/// Older versions can lose data: see <https://sqlite.org/wal.html#walresetbug>.
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];

/// How long a writer waits for another process, or for a transaction of the user's.
const BUSY: Duration = Duration::from_secs(5);

const CONNECT_AGAIN: Duration = Duration::from_millis(10);

const READERS: u32 = 4;

/// The error of opening the store at this place. A URL is not shown, because a part of it may be a password.
pub(super) fn not_opened(place: &Path, error: impl fmt::Display) -> ConnectError {
    let shown = place.display().to_string();
    ConnectError::new(if shown.starts_with("sqlite:") || shown.contains("://") {
        format!("the store cannot be opened: {error}")
    } else {
        format!("the store `{shown}` cannot be opened: {error}")
    })
}

impl Store {
    /// Opens the store. Creates missing tables and a missing file, which only this user may read and write (mode 600), unless the
    /// [role](ProcessRole) of the process is `Operator`.
    ///
    /// Takes a path, or a URL in the format of `sqlx`: `sqlite://app.db`, `sqlite:///var/lib/app.db?mode=rwc`. With `mode=rw` the
    /// file must exist. Other parameters and in-memory databases are refused.
    ///
    /// # Errors
    /// Fails if the file cannot be opened or written, is not a database, or has the tables of a newer version, or if the URL has an
    /// unknown parameter.
    ///
    /// # Panics
    /// Panics outside of a Tokio runtime.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let path = std::env::temp_dir().join(format!("graceful-open-{}.db", std::process::id()));
    /// let store = graceful_sqlite::Store::open(&path).await?;
    /// # std::fs::remove_file(&path).unwrap();
    /// let error = graceful_sqlite::Store::open("/no/such/directory/app.db").await.unwrap_err();
    /// assert!(error.to_string().starts_with("the store `/no/such/directory/app.db` cannot be opened"));
    /// # Ok::<(), graceful::backends::client::ConnectError>(())
    /// # }).unwrap();
    /// ```
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, ConnectError> {
        let path = path.as_ref();
        let opened = in_real_time(open(path)).await;
        opened.map_err(|error| not_opened(path, error))
    }

    /// Opens `graceful.db` in a directory. If the directory is missing it is created, for this user alone (mode 700).
    pub(crate) async fn open_in(dir: &Path) -> Result<Self, ConnectError> {
        if ProcessRole::current().changes_schema() {
            let mut builder = std::fs::DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            let created = builder.recursive(true).create(dir);
            created.map_err(|error| not_opened(dir, error))?;
        }
        Self::open(dir.join("graceful.db")).await
    }
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

async fn open(place: &Path) -> Result<Store, AnyError> {
    let (path, create) = located(place)?;
    let may_change = ProcessRole::current().changes_schema();
    if create && may_change {
        create_private(&path);
    }
    let mut options =
        SqliteConnectOptions::new().filename(&path).synchronous(SqliteSynchronous::Full).busy_timeout(BUSY);
    if may_change {
        // The mode is a part of the file.
        options = options.journal_mode(SqliteJournalMode::Wal);
    }
    let mut connection = connect(&options).await?;
    check_version(&mut connection).await?;
    if may_change {
        migrate(&mut connection).await?;
        check_writable(&mut connection).await?;
    } else if let Some(why) = unmigrated(&mut connection).await? {
        return Err(why.into());
    }
    // A statement that changes several rows can be rolled back by itself: what that needs is not worth a file, of which half of all writes would be.
    // A migration of many rows may need more than the memory has.
    options = options.pragma("temp_store", "MEMORY");
    sqlx::raw_sql("PRAGMA temp_store = MEMORY").execute(&mut connection).await?;
    let reading = options.clone().pragma("query_only", "1");
    let readers = SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(reading.clone());
    let operators = operators::pool(reading);
    let inbox = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(BUSY)
        // After an error that has rolled its transaction back (a full disk), `sqlx` counts it as open for ever.
        .after_release(|connection, _| {
            Box::pin(async {
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
        .connect_lazy_with(options.clone());
    let turns = Turns::of(&mut connection).await?.ok_or("the database has no file")?;
    let (file, runtime) = (File::new(&path)?, Handle::current());
    turns.watch(file.clone());
    let newest_event = Arc::default();
    let writer = Writer::start(
        connection,
        options,
        file.clone(),
        Arc::clone(&turns),
        Arc::clone(&newest_event),
        &runtime,
    );
    let probe = Probe::default();
    Ok(Store(Arc::new(Inner {
        path,
        file,
        writer,
        newest_event,
        turns,
        readers,
        operators,
        inbox,
        probe,
        runtime,
    })))
}

/// SQLite turns the write-ahead log of a new file on without waiting: of two who open the file at once, one is refused.
async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, sqlx::Error> {
    let start = Instant::now();
    loop {
        match SqliteConnection::connect_with(options).await {
            Err(error) if super::is_busy(&error) && start.elapsed() < BUSY => {
                tokio::time::sleep(CONNECT_AGAIN).await;
            }
            connected => return connected,
        }
    }
}

/// The path of the database, and whether it may be created.
fn located(place: &Path) -> Result<(PathBuf, bool), AnyError> {
    let Some(url) = place.to_str().filter(|place| place.starts_with("sqlite:")) else {
        return match place.to_str() {
            Some("" | ":memory:") => Err(IN_MEMORY.into()),
            Some(url) if url.starts_with("file:") => {
                Err("a path or `sqlite://path/to/file.db` is expected, not `file:`".into())
            }
            _ => Ok((place.to_owned(), true)),
        };
    };
    let (database, parameters) = url.split_once('?').unwrap_or((url, ""));
    if ["", ":memory:"].contains(&database.trim_start_matches("sqlite:").trim_start_matches("//")) {
        return Err(IN_MEMORY.into());
    }
    let mut create = true;
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter {
            "mode=rwc" => create = true,
            "mode=rw" => create = false,
            _ => {
                // The error does not contain the parameter, because it may be a password.
                return Err("unknown parameter in the store's URL; expected `mode=rwc` or `mode=rw`".into());
            }
        }
    }
    let options: SqliteConnectOptions =
        url.parse().map_err(|_| "not a URL of SQLite; expected `sqlite://path/to/file.db`")?;
    Ok((options.get_filename().to_owned(), create))
}

const IN_MEMORY: &str =
    "a durable store needs a file; for a test without a file use `Orchestrator::in_memory` or the `Recorder`";

/// An empty file is a database without tables; SQLite gives its log the same mode. Why it cannot be created, SQLite says.
fn create_private(path: &Path) {
    let mut options = std::fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let _ = options.write(true).create_new(true).open(path);
}

/// SQLite opens what may not be written to for reading, and every flow would fail. A database that is locked can be written to.
async fn check_writable(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    match super::lock(connection).await {
        Err(error) if !super::is_busy(&error) => Err(error),
        _ => Ok(()),
    }
}

async fn check_version(connection: &mut SqliteConnection) -> Result<(), AnyError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(connection).await?;
    let parts: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    if parts.as_slice() < OLDEST_SQLITE.as_slice() {
        return Err(format!("SQLite {version} may lose data; use 3.51.3 or newer").into());
    }
    Ok(())
}

const MIGRATIONS: Migrations = &[
    (1, "store", include_str!("../migrations/1_store.sql")),
    (2, "graph and alerts", include_str!("../migrations/2_graph_and_alerts.sql")),
    (3, "inbox", include_str!("../migrations/3_inbox.sql")),
    (10, "lanes", include_str!("../migrations/10_lanes.sql")),
    (40, "incidents", include_str!("../migrations/40_incidents.sql")),
    (50, "inbox attempts", include_str!("../migrations/50_inbox_attempts.sql")),
    (60, "operations", include_str!("../migrations/60_operations.sql")),
    (70, "bulk operations", include_str!("../migrations/70_bulk.sql")),
    (80, "audit queries", include_str!("../migrations/80_audit_queries.sql")),
    (90, "storms", include_str!("../migrations/90_storms.sql")),
    (95, "incident filters", include_str!("../migrations/95_incident_filters.sql")),
    (96, "audit tenants", include_str!("../migrations/96_audit_tenants.sql")),
    (100, "secrets", include_str!("../migrations/100_secrets.sql")),
    (110, "idempotent calls", include_str!("../migrations/110_idempotent_calls.sql")),
    (120, "event log", include_str!("../migrations/120_event_log.sql")),
    (130, "subscribers", include_str!("../migrations/130_subscribers.sql")),
    (160, "followers", include_str!("../migrations/160_followers.sql")),
];

/// Why the tables are not those of this version, for a process that may not migrate them.
async fn unmigrated(connection: &mut SqliteConnection) -> Result<Option<String>, sqlx::Error> {
    const REMEDY: &str = "create them by the subcommand `migrate`, or by a start of the service";
    let has_table = "SELECT count(*) FROM sqlite_master WHERE name = 'graceful_migrations'";
    if sqlx::query_scalar::<_, i64>(has_table).fetch_one(&mut *connection).await? == 0 {
        return Ok(Some(format!("it has no tables of `graceful`: {REMEDY}")));
    }
    let applied = "SELECT version FROM graceful_migrations WHERE success";
    let applied: Vec<i64> = sqlx::query_scalar(applied).fetch_all(connection).await?;
    Ok(graceful_sql::unmigrated(MIGRATIONS, &applied, REMEDY))
}

/// In a table of our own, beside the migrations of the user's.
async fn migrate(connection: &mut SqliteConnection) -> Result<(), sqlx::migrate::MigrateError> {
    let migrator = graceful_sql::migrator(MIGRATIONS);
    // Nothing to migrate needs no lock, so that a store opens while another transaction has it.
    if migrator.run_direct(None, &mut *connection, false).await.is_ok() {
        return Ok(());
    }
    // Another process may have migrated at the same time: now it waits for this transaction, or this one for it.
    let mut alone = connection.begin_with("BEGIN IMMEDIATE").await?;
    migrator.run_direct(None, &mut *alone, false).await?;
    Ok(alone.commit().await?)
}
