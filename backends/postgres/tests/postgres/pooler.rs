//! The store behind `PgBouncer`.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use graceful::backends::{FlowFilter, FlowStore as _, Operations as _};
use graceful_postgres::Store;
use graceful_tests::servers::{Server, unique};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{Postgres, execute, production::works};

/// A pooler of the test's own, with so many connections to each database.
async fn pooler(postgres: &Postgres, mode: &str, size: u32) -> Server {
    let (host, port) = (postgres.address.ip(), postgres.address.port());
    let start = Server::start("pgbouncer", |own, directory| {
        let ini = format!(
            "[databases]\n* = host={host} port={port} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {own}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\ndefault_pool_size = {size}\n"
        );
        let file = Path::new(directory).join("pgbouncer.ini");
        fs::write(&file, ini).unwrap();
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
        let mut arguments = vec![file.to_str().unwrap().to_owned()];
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            // It refuses to be root.
            arguments.extend(["-u".to_owned(), "nobody".to_owned()]);
        }
        arguments
    });
    start.await
}

async fn works_behind(mode: &str, size: u32) {
    let postgres = Postgres::new();
    let pooler = pooler(&postgres, mode, size).await;
    // A search path is nothing that it passes on: the test has a database of its own.
    let name = unique("pooled").replace('-', "_");
    let mut direct = postgres.connection("public").await;
    execute(&mut direct, &format!("CREATE DATABASE {name}")).await;
    let url = format!("postgres://postgres@{}/{name}", pooler.address());

    Store::migrate(&url).await.unwrap();
    let options: PgConnectOptions = url.parse().unwrap();
    let pool: PgPool =
        PgPoolOptions::new().max_connections(3).connect_lazy_with(options.extra_float_digits(None));
    // Two processes whose statements would have the same names.
    let stores = [Store::connect(&url).await.unwrap(), Store::from_pool(pool.clone()).await.unwrap()];
    works(&stores[0], &pool).await;
    stores[0].count(FlowFilter::default(), 10).await.unwrap();
    stores[0].list(None, 10).await.unwrap();
    for setting in ["statement_timeout", "transaction_read_only"] {
        let left: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(setting)
            .persistent(false)
            .fetch_one(&pool)
            .await
            .unwrap();
        assert!(["0", "off"].contains(&&*left), "a query of an operator leaves {setting} = {left}");
    }
    if mode == "transaction" {
        let left = sqlx::raw_sql("SELECT FROM pg_prepared_statements").fetch_all(&pool).await.unwrap();
        assert!(left.is_empty(), "{} statements are left to the next who gets the connection", left.len());
    }
    drop(stores);
    pool.close().await;
    drop(pooler);
    execute(&mut direct, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    postgres.clean().await;
}

#[test(requires(Postgres, "pgbouncer"), flavor = "multi_thread")]
async fn store_behind_a_pooler_of_sessions_works() {
    works_behind("session", 30).await;
}

#[test(requires(Postgres, "pgbouncer"), flavor = "multi_thread")]
async fn store_behind_a_pooler_of_transactions_works() {
    works_behind("transaction", 4).await;
}

/// While the probe of one connection uses it, the other connection waits, and the store must recognise that.
#[test(requires(Postgres, "pgbouncer"), flavor = "multi_thread")]
async fn store_behind_a_pooler_with_one_connection_works() {
    works_behind("transaction", 1).await;
}
