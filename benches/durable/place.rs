//! A schema of PostgreSQL for one bench.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Runs a bench in an empty schema, and removes it. PostgreSQL is expected at its standard port or at the URL in `GRACEFUL_BENCH_POSTGRES`.
pub async fn within_schema(schema: &str, bench: impl AsyncFnOnce(&mut PgConnection, &str)) {
    let server = std::env::var("GRACEFUL_BENCH_POSTGRES");
    let server = server.unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test".to_owned());
    let url = format!("{server}?options[search_path]={schema}");
    let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL runs");
    let drop = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
    execute(&mut connection, &format!("{drop}; CREATE SCHEMA {schema}")).await;
    bench(&mut connection, &url).await;
    execute(&mut connection, &drop).await;
}

pub async fn execute(connection: &mut PgConnection, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await.expect("it is executed");
}

pub fn median(mut of: Vec<f64>) -> f64 {
    of.sort_unstable_by(f64::total_cmp);
    of[of.len() / 2]
}
