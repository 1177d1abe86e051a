//! Writers with `tx`, beside those of [`ReadThrough`].
//!
//! The transaction is one of SQLite. It stores which operation has written, and the flow. The caller changes the checked database after the
//! handler has returned, and before it commits the transaction.

use std::{path::Path, sync::Arc};

use graceful::{Orchestrator, backends::Cache, orchestrate};
use graceful_sqlite::Store;
use sqlx::{Sqlite, SqlitePool, Transaction, sqlite::SqliteConnectOptions};

use super::{System, read_through::ReadThrough};
use crate::{
    data::{Change, Failure, Fate, Manner, Order, Orders, Profile, User, Write},
    source::Source,
};

#[derive(Debug)]
pub struct Transactional {
    source: Arc<Source>,
    handlers: ReadThrough,
    pool: SqlitePool,
}

/// What fails, fails before the commit.
async fn record(tx: &mut Transaction<'_, Sqlite>, operation: u64, write: Write) -> Result<(), Failure> {
    match write.fate {
        Fate::Refused => return Err(Failure::Refused),
        Fate::LostBefore => return Err(Failure::Unavailable),
        Fate::Succeeds | Fate::LostAfter => {}
    }
    let operation = i64::try_from(operation).unwrap();
    let insert = sqlx::query("INSERT INTO writes (operation) VALUES (?)").bind(operation);
    insert.execute(&mut **tx).await.map(drop).map_err(|_| Failure::Unavailable)
}

#[orchestrate(pattern = "user", cache(key = id), delivery = "durable", tx = tx)]
async fn write_user(
    tx: &mut Transaction<'_, Sqlite>,
    operation: u64,
    id: u64,
    write: Write,
) -> Result<(), Failure> {
    record(tx, operation, write).await
}

#[orchestrate(
    pattern = "order",
    cache(key = id, touches(customer = customers)),
    delivery = "durable",
    tx = tx,
)]
async fn write_order(
    tx: &mut Transaction<'_, Sqlite>,
    operation: u64,
    id: u64,
    customers: [u64; 2],
    write: Write,
) -> Result<(), Failure> {
    record(tx, operation, write).await
}

impl Transactional {
    /// The flows are stored in this directory.
    pub async fn new(source: &Arc<Source>, cache: impl Cache, directory: &Path) -> Self {
        let store = Store::open(directory.join("flows.db")).await.unwrap();
        let options = SqliteConnectOptions::new().filename(store.path());
        let pool = SqlitePool::connect_with(options).await.unwrap();
        let table = "CREATE TABLE writes (operation INTEGER PRIMARY KEY) STRICT";
        sqlx::query(table).execute(&pool).await.unwrap();
        let orchestrator =
            Orchestrator::builder().service("history").flows(store).cache(cache).build().unwrap();
        Self { source: Arc::clone(source), handlers: ReadThrough::on(source, orchestrator), pool }
    }

    async fn write_in_transaction(&self, operation: u64, write: Write) -> Result<(), Failure> {
        let mut transaction = graceful_sqlite::begin(&self.pool).await.map_err(|_| Failure::Unavailable)?;
        let tx = &mut transaction;
        let orchestrator = self.handlers.orchestrator();
        match write.change {
            Change::SaveUser(id) | Change::DeleteUser(id) => {
                orchestrator.scope(write_user(tx, operation, id, write)).await?;
            }
            Change::SaveOrder { id, customers, .. } | Change::DeleteOrder { id, customers } => {
                orchestrator.scope(write_order(tx, operation, id, customers, write)).await?;
            }
        }
        let written = self.source.write(operation, write).await;
        transaction.commit().await.map_err(|_| Failure::Unavailable)?;
        written.map(drop)
    }
}

impl System for Transactional {
    async fn user(&self, id: u64) -> Result<Option<User>, Failure> {
        self.handlers.user(id).await
    }

    async fn order(&self, id: u64) -> Result<Option<Order>, Failure> {
        self.handlers.order(id).await
    }

    async fn orders(&self, customer: u64) -> Result<Orders, Failure> {
        self.handlers.orders(customer).await
    }

    async fn profile(&self, id: u64) -> Result<Profile, Failure> {
        self.handlers.profile(id).await
    }

    async fn write(&self, operation: u64, write: Write) -> Result<(), Failure> {
        match write.manner {
            Manner::Plain => self.write_in_transaction(operation, write).await,
            _ => self.handlers.write(operation, write).await,
        }
    }

    async fn at_rest(&self) {
        self.handlers.at_rest().await;
    }
}
