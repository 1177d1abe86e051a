//! A connection that cannot work is refused at once, without showing a secret. The tables are created once.

use graceful::backends::FlowState;
use graceful_postgres::Store;
use graceful_testing::InState as _;

use super::{Postgres, execute};

async fn refused(url: &str) -> String {
    let error = Store::connect(url).await.unwrap_err();
    let (text, debug) = (error.to_string(), format!("{error:?}"));
    assert!(!text.contains("s3cret") && !debug.contains("s3cret"), "{text} {debug}");
    text
}

#[test]
async fn invalid_url_is_refused_without_showing_it() {
    for url in ["", "s3cret", "postgres://u:s3cret@a:99999/b", "postgres://u:s3cret@a/b?sslmode=s3cret"] {
        assert!(refused(url).await.starts_with("not a URL of PostgreSQL"), "{url}");
    }
}

#[test]
async fn unreachable_server_is_refused_with_its_address() {
    let text = refused("postgres://u:s3cret@127.0.0.1:1/test").await;
    assert!(text.starts_with("PostgreSQL at 127.0.0.1:1 "), "{text}");
}

#[test(requires(Postgres))]
async fn missing_database_is_refused_without_its_name() {
    let postgres = Postgres::new();
    let address = postgres.address;
    let text = refused(&format!("postgres://postgres:s3cret@{address}/no_such_database")).await;
    assert!(text.starts_with(&format!("PostgreSQL at {address} cannot be used: ")), "{text}");
    // What a server quotes came from the URL, and may be a password in the wrong place.
    assert!(text.contains("database \"…\" does not exist"), "{text}");
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn concurrent_opens_of_one_schema_succeed() {
    let postgres = Postgres::new();
    let url = postgres.url(&postgres.schema().await);
    let opened: Vec<_> = (0..8)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move {
                Store::migrate(&url).await?;
                Store::connect(&url).await
            })
        })
        .collect();
    for store in opened {
        store.await.unwrap().unwrap();
    }
    postgres.clean().await;
}

#[test(requires(Postgres))]
async fn tables_of_a_newer_version_are_refused() {
    let postgres = Postgres::new();
    let schema = postgres.schema().await;
    postgres.store(&schema).await.in_state(FlowState::Queued).await.unwrap();
    let newer = "INSERT INTO graceful_migrations SELECT 4, description, installed_on, success, checksum, execution_time \
                 FROM graceful_migrations WHERE version = 1";
    execute(&mut postgres.connection(&schema).await, newer).await;
    let text = refused(&postgres.url(&schema)).await;
    assert!(text.contains("migration 4"), "{text}");
    postgres.clean().await;
}
