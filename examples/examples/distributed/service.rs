//! The service: it renames users in PostgreSQL. The attribute of the handler declares the steps.

use std::time::Duration;

use graceful::{Classify, FlowReport, Orchestrator, RelaySettings, StepError, orchestrate};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};
use tokio::io::{AsyncBufReadExt as _, BufReader, stdin};

use crate::{Done, variable};

#[derive(Debug, Serialize, Deserialize)]
pub struct User {
    pub id: i64,
    pub name: String,
    /// Counts the user's names: a late write of the cache never overwrites a newer one.
    pub version: i64,
}

#[derive(Debug, Classify)]
enum UserError {
    #[classify(code = InvalidArgument, message = "a user has a name")]
    NoName,
    #[classify(code = Unavailable, message = "the users cannot be reached")]
    Storage(#[expect(dead_code, reason = "for `Debug` only; clients never see it")] sqlx::Error),
    #[classify(transparent)]
    NotStored(StepError),
}

impl From<sqlx::Error> for UserError {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error)
    }
}

/// Where the flow cannot be stored, nothing may be committed.
impl From<StepError> for UserError {
    fn from(error: StepError) -> Self {
        Self::NotStored(error)
    }
}

/// The flow of an `Ok` is stored together with the name, in one transaction. The relay of any process runs its steps.
#[orchestrate(
    pattern = "user",
    cache(key = id, version = result.version, ttl = "1m"),
    event = "user_renamed",
    delivery = "durable",
    tx = tx,
)]
async fn rename(tx: &mut PgConnection, id: i64, name: &str) -> Result<User, UserError> {
    match name {
        "" => Err(UserError::NoName),
        "crash" => Err(UserError::Storage(sqlx::Error::WorkerCrashed)),
        name => {
            let version = sqlx::query_scalar(
                "INSERT INTO users AS old VALUES ($1, $2, 1) \
                 ON CONFLICT (id) DO UPDATE SET name = $2, version = old.version + 1 RETURNING version",
            );
            let version = version.bind(id).bind(name).fetch_one(tx).await?;
            Ok(User { id, name: name.to_owned(), version })
        }
    }
}

async fn renamed(users: &PgPool, id: i64, name: &str) -> Result<User, UserError> {
    let mut transaction = users.begin().await?;
    let user = rename(&mut transaction, id, name).await?;
    transaction.commit().await?;
    Ok(user)
}

/// From the cache, which all processes share, else from the table.
async fn read(orchestrator: &Orchestrator, users: &PgPool, id: i64) -> Done<String> {
    if let Some(User { name, .. }) = orchestrator.cached("user", id).await? {
        return Ok(format!("{name}, from the cache"));
    }
    let name =
        sqlx::query_scalar("SELECT name FROM users WHERE id = $1").bind(id).fetch_optional(users).await?;
    Ok(name.map_or_else(|| "nobody".to_owned(), |name: String| format!("{name}, from the table")))
}

/// Does what the standard input says, to its end.
pub async fn run() -> Done {
    let orchestrator = Orchestrator::builder()
        .env(&[graceful_redis::BACKEND, graceful_nats::BACKEND, graceful_postgres::BACKEND])
        .await?
        // The flows of a process that died can be claimed after this time.
        .relay(RelaySettings::default().lease(Duration::from_secs(2)))
        .on_report(|report| println!("{}", line(report)))
        .build()?;
    orchestrator.clone().install()?;
    let users = PgPool::connect(&variable("GRACEFUL_STORE")?).await?;
    // One process after the other.
    sqlx::raw_sql(
        "SELECT pg_advisory_xact_lock(1);
         CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name text NOT NULL, version bigint NOT NULL)",
    )
    .execute(&users)
    .await?;

    println!("ready");
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(command) = lines.next_line().await? {
        let words: Vec<_> = command.splitn(3, ' ').collect();
        let answer = match (&words[..], words.get(1).and_then(|id| id.parse().ok())) {
            (["rename", _, name], Some(id)) => match renamed(&users, id, name).await {
                Ok(user) => format!("Ok, version {}", user.version),
                Err(error) => format!("Err, {}: {}", error.code(), error.message()),
            },
            (["read", _], Some(id)) => read(&orchestrator, &users, id).await?,
            _ => "`rename ID NAME` or `read ID`".to_owned(),
        };
        println!("{command} -> {answer}");
    }
    orchestrator.shutdown(Duration::from_secs(10)).await;
    Ok(())
}

/// What became of a flow, in one line.
fn line(report: &FlowReport) -> String {
    let flow = report.flow();
    let steps = report.steps().filter(|(_, result)| result.is_done() || result.error().is_some());
    let steps: Vec<_> = steps.map(|(step, result)| format!("{step} {result}")).collect();
    format!("the flow of user {}, {}: {}", flow.entity_id(), flow.code(), steps.join(", "))
}
