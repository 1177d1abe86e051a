//! A store is opened in a new file, in an existing database, and in a file that is not a database.

use graceful::backends::{FlowStore as _, Lane, QueuedFlow, Uuid};
use graceful_sqlite::Store;
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;

#[tokio::test]
async fn file_that_is_not_a_database_is_refused_and_left_unchanged() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("notes.txt");
    std::fs::write(&path, "these are notes, and no database at all").unwrap();
    let error = Store::open(&path).await.unwrap_err().to_string();
    assert!(error.contains("notes.txt") && error.contains("not a database"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "these are notes, and no database at all");
}

/// SQLite would take it for a URL of its own, and leave an empty file of that name.
#[tokio::test]
async fn file_url_is_refused_and_leaves_no_file() {
    let name = format!("file:{}.db", graceful_tests::servers::unique("graceful"));
    let error = Store::open(&name).await.unwrap_err().to_string();
    assert!(error.ends_with("a path or `sqlite://path/to/file.db` is expected, not `file:`"), "{error}");
    assert!(!std::path::Path::new(&name).exists());
}

#[tokio::test]
async fn tables_of_a_newer_version_are_refused() {
    let (dir, store) = super::fresh().await;
    let mut connection =
        SqliteConnection::connect(&format!("sqlite://{}", store.path().display())).await.unwrap();
    sqlx::query(
        "INSERT INTO graceful_migrations (version, description, success, checksum, execution_time) \
         VALUES (99, 'of tomorrow', TRUE, x'00', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let error = Store::open(dir.path().join("test.db")).await.unwrap_err().to_string();
    assert!(error.contains("99"), "{error}");
}

/// The user's own migrations and data are in the same database.
#[tokio::test]
async fn store_in_a_database_of_the_user_leaves_its_tables_alone() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("app.db");
    let mut connection =
        SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", path.display())).await.unwrap();
    sqlx::raw_sql("CREATE TABLE _sqlx_migrations (version INTEGER); CREATE TABLE users (id INTEGER)")
        .execute(&mut connection)
        .await
        .unwrap();
    Store::open(&path).await.unwrap();
    Store::open(&path).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    // `sqlite_sequence` is of SQLite itself.
    let is_ours = |name: &str| name.starts_with("graceful_") || name.starts_with("sqlite_");
    let of_others: Vec<_> = tables.iter().filter(|name| !is_ours(name)).collect();
    assert_eq!(of_others, ["_sqlx_migrations", "users"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_opens_of_one_file_succeed() {
    for _ in 0..8 {
        let dir = TempDir::new().unwrap();
        let mut opening = tokio::task::JoinSet::new();
        for _ in 0..16 {
            opening.spawn(Store::open(dir.path().join("app.db")));
        }
        for opened in opening.join_all().await {
            opened.unwrap();
        }
    }
}

/// Another transaction holds the lock for longer than the busy timeout. The writes that arrived meanwhile fail together
/// and not one after the other.
#[tokio::test]
async fn writes_to_a_locked_database_time_out_together() {
    let (_dir, store) = super::fresh().await;
    let mut connection =
        SqliteConnection::connect(&format!("sqlite://{}", store.path().display())).await.unwrap();
    let lock = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let flow = |id| QueuedFlow::new(Uuid::from_u128(id), "ada", "", Lane::default(), Vec::new());
    let [first, second, third] = [1, 2, 3].map(|id| store.enqueue(flow(id)));
    assert!(first.await.unwrap_err().message().contains("locked"));
    assert!(second.await.unwrap_err().message().contains("locked"));
    lock.rollback().await.unwrap();
    assert!(third.await.unwrap_err().message().contains("locked"));
    store.enqueue(flow(4)).await.unwrap();
}
