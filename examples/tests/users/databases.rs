//! The databases that the service runs on, each empty and of one test.

use graceful_tests::servers::{self, unique};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tempfile::TempDir;

pub enum Database {
    Sqlite(TempDir),
    /// By a schema of its own; the URL without it.
    Postgres {
        server: String,
        schema: String,
    },
}

impl Database {
    /// SQLite, and PostgreSQL if it is there.
    pub async fn each() -> Vec<Self> {
        sqlx::any::install_default_drivers();
        let mut each = vec![Self::Sqlite(TempDir::new().unwrap())];
        if let Some(address) = servers::postgres().await {
            let server = format!("postgres://postgres@{address}/test");
            let schema = unique("users").replace('-', "_");
            execute(&server, &format!("CREATE SCHEMA {schema}")).await;
            each.push(Self::Postgres { server, schema });
        }
        each
    }

    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(dir) => format!("sqlite://{}", dir.path().join("users.db").display()),
            Self::Postgres { server, schema } => format!("{server}?options[search_path]={schema}"),
        }
    }

    pub async fn execute(&self, statement: &str) {
        execute(&self.url(), statement).await;
    }

    pub async fn clean(self) {
        if let Self::Postgres { server, schema } = self {
            execute(&server, &format!("DROP SCHEMA {schema} CASCADE")).await;
        }
    }
}

async fn execute(url: &str, statement: &str) {
    let mut connection = AnyConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
}
