//! The databases that the service runs on. Each test gets an empty one.

use graceful_tests::servers::{POSTGRES, unique};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};

/// PostgreSQL serves other tests, too: here it has one at a time, so that no step waits for others to be done.
static TURN: Semaphore = Semaphore::const_new(1);

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Sqlite,
    Postgres,
}

pub enum Database {
    Sqlite(TempDir),
    /// By a schema of its own; the URL without it.
    Postgres {
        server: String,
        schema: String,
        _turn: SemaphorePermit<'static>,
    },
}

impl Database {
    pub async fn new(kind: Kind) -> Self {
        sqlx::any::install_default_drivers();
        match kind {
            Kind::Sqlite => Self::Sqlite(TempDir::new().unwrap()),
            Kind::Postgres => {
                let server = format!("postgres://postgres@{POSTGRES}/test");
                let turn = TURN.acquire().await.unwrap();
                let schema = unique("users").replace('-', "_");
                execute(&server, &format!("CREATE SCHEMA {schema}")).await;
                Self::Postgres { server, schema, _turn: turn }
            }
        }
    }

    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(dir) => format!("sqlite://{}", dir.path().join("users.db").display()),
            Self::Postgres { server, schema, .. } => format!("{server}?options[search_path]={schema}"),
        }
    }

    pub async fn execute(&self, statement: &str) {
        execute(&self.url(), statement).await;
    }

    pub async fn clean(self) {
        if let Self::Postgres { server, schema, .. } = self {
            execute(&server, &format!("DROP SCHEMA {schema} CASCADE")).await;
        }
    }
}

async fn execute(url: &str, statement: &str) {
    let mut connection = AnyConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
}
