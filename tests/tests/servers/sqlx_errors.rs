//! The codes of `sqlx` errors, each caused by a real database.

use std::time::Duration;

use graceful::{Classify as _, Code};
use graceful_tests::servers::POSTGRES;
use sqlx::{
    Connection as _, PgConnection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

const TABLE: &str =
    "CREATE TEMPORARY TABLE users (id BIGINT PRIMARY KEY, name TEXT NOT NULL, age INT CHECK (age > 0))";

/// What both databases refuse alike.
const REFUSED: [(&str, Code); 4] = [
    ("INSERT INTO users (id, name) VALUES (1, 'Ada')", Code::AlreadyExists),
    ("INSERT INTO users (id, name) VALUES (2, NULL)", Code::InvalidArgument),
    ("INSERT INTO users (id, name, age) VALUES (2, 'Bob', 0)", Code::InvalidArgument),
    ("SELECT id FROM a_secret_table", Code::Internal),
];

#[track_caller]
fn means(error: &sqlx::Error, code: Code) {
    assert_eq!((error.code(), &*error.message()), (code, code.text()), "{error}");
    // Found by whoever asks for causes, too.
    assert_eq!(std::io::Error::other(sqlx::Error::RowNotFound).code(), Code::NotFound);
}

#[test]
async fn sqlite_errors_have_the_codes_of_their_causes() {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    sqlx::query(TABLE).execute(&mut connection).await.unwrap();
    sqlx::query("INSERT INTO users (id, name) VALUES (1, 'Ada')").execute(&mut connection).await.unwrap();
    for (statement, code) in REFUSED {
        means(&sqlx::query(statement).execute(&mut connection).await.unwrap_err(), code);
    }
    let none = sqlx::query("SELECT id FROM users WHERE id = 7").fetch_one(&mut connection).await;
    means(&none.unwrap_err(), Code::NotFound);

    sqlx::raw_sql("PRAGMA foreign_keys = ON; CREATE TABLE parents (id INTEGER PRIMARY KEY); CREATE TABLE children (parent INTEGER REFERENCES parents)")
        .execute(&mut connection)
        .await
        .unwrap();
    let orphan = sqlx::query("INSERT INTO children VALUES (1)").execute(&mut connection).await;
    means(&orphan.unwrap_err(), Code::FailedPrecondition);
}

#[test]
async fn sqlite_connection_errors_have_the_codes_of_their_causes() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(dir.path().join("a.db"))
        .create_if_missing(true)
        .busy_timeout(Duration::ZERO);
    let mut one = SqliteConnection::connect_with(&options).await.unwrap();
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut one).await.unwrap();
    means(&sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap_err(), Code::Unavailable);

    let missing = SqliteConnectOptions::new().filename(dir.path().join("b.db"));
    means(&SqliteConnection::connect_with(&missing).await.unwrap_err(), Code::Internal);

    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    let held = pool.acquire().await.unwrap();
    // The timeout passes at once, since nothing else goes on.
    tokio::time::pause();
    means(&pool.acquire().await.unwrap_err(), Code::Unavailable);
    tokio::time::resume();
    drop(held);
    pool.close().await;
    means(&pool.acquire().await.unwrap_err(), Code::Unavailable);
}

#[test(requires(Postgres))]
async fn postgres_errors_have_the_codes_of_their_causes() {
    let mut connection =
        PgConnection::connect(&format!("postgres://postgres@{POSTGRES}/test")).await.unwrap();
    sqlx::query(TABLE).execute(&mut connection).await.unwrap();
    sqlx::query("INSERT INTO users (id, name) VALUES (1, 'Ada')").execute(&mut connection).await.unwrap();
    for (statement, code) in REFUSED {
        means(&sqlx::query(statement).execute(&mut connection).await.unwrap_err(), code);
    }
    for (state, code) in [
        ("40001", Code::Aborted),
        ("40P01", Code::Aborted),
        ("23503", Code::FailedPrecondition),
        ("08006", Code::Unavailable),
        ("53300", Code::Unavailable),
        ("22012", Code::Internal),
    ] {
        let raise = format!("DO $$ BEGIN RAISE EXCEPTION 'a secret' USING ERRCODE = '{state}'; END $$");
        let raised = sqlx::raw_sql(sqlx::AssertSqlSafe(raise)).execute(&mut connection).await;
        means(&raised.unwrap_err(), code);
    }
    sqlx::query("SET statement_timeout = 1").execute(&mut connection).await.unwrap();
    let slow = sqlx::query("SELECT pg_sleep(60)").execute(&mut connection).await;
    means(&slow.unwrap_err(), Code::DeadlineExceeded);

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = PgConnection::connect(&format!("postgres://postgres@{nobody}/test")).await;
    means(&away.unwrap_err(), Code::Unavailable);
}
