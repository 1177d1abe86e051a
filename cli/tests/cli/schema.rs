//! Which subcommands change a schema.

use std::{fs, process::Command};

use crate::{
    service::{Ended, json, run},
    stores::{Postgres, Sqlite},
};

#[test]
fn only_migrate_creates_a_file_of_sqlite() {
    let sqlite = Sqlite::new();
    let url = sqlite.url();
    for arguments in [&["lag"][..], &["resubmit", "--all", "--yes"]] {
        assert_eq!(run(&url, arguments).code, 1, "{arguments:?}");
    }
    for arguments in [&["health"], &["doctor"]] {
        assert_eq!(run(&url, arguments).code, 4, "{arguments:?}");
    }
    assert_eq!(fs::read_dir(sqlite.directory.path()).unwrap().count(), 0);
    fs::write(sqlite.directory.path().join("orders.db"), "").unwrap();
    let empty = run(&url, &["lag"]);
    assert!(empty.stderr.contains("it has no tables of `graceful`: create them by"), "{empty:?}");
    assert_eq!(run(&url, &["migrate"]).code, 0);
    assert_eq!(json(&url, &["lag"])["queued"]["number"], 0);
    assert_eq!(run(&url, &["migrate"]).code, 0, "again");
}

#[test(requires(Postgres), flavor = "multi_thread")]
async fn only_migrate_creates_tables_of_postgres() {
    let postgres = Postgres::new().await;
    let url = postgres.url();
    let refused = run(&url, &["lag"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("has the tables of `graceful`"), "{refused:?}");
    let doctor = run(&url, &["doctor"]);
    assert_eq!(doctor.code, 4, "{doctor:?}");
    assert!(doctor.stdout.contains("run `migrate`"), "{doctor:?}");
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()";
    let tables: i64 = sqlx::query_scalar(tables).fetch_one(&mut postgres.connection().await).await.unwrap();
    assert_eq!(tables, 0);
    assert_eq!(run(&url, &["migrate"]).code, 0);
    assert_eq!(json(&url, &["lag"])["queued"]["number"], 0);
    postgres.drop().await;
}

/// The binary `graceful`, which knows no service.
#[test(flavor = "multi_thread")]
async fn standalone_binary_serves_the_store_of_variable_or_file() {
    let sqlite = Sqlite::new();
    sqlite.store().await;
    let graceful = |arguments: &[&str], url: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_graceful"));
        Ended::of(command.args(arguments).env("GRACEFUL_STORE", url).output().unwrap())
    };
    assert_eq!(graceful(&["lag", "--json"], &sqlite.url()).json()["queued"]["number"], 0);
    let file = sqlite.directory.path().join("url");
    fs::write(&file, sqlite.url() + "\n").unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(graceful(&["lag", "--url-file", file], "").code, 0);
    let without = graceful(&["lag"], "");
    assert_eq!(without.code, 2);
    assert!(without.stderr.contains("set GRACEFUL_STORE"), "{without:?}");
    let wrong = graceful(&["doctor"], "mysql://root:hunter2@db");
    assert_eq!(wrong.code, 4);
    assert!(wrong.stdout.contains("expected `sqlite://…`") && !wrong.stdout.contains("hunter2"), "{wrong:?}");
}
