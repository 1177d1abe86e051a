//! The consumer: it writes exactly one letter for each event.

use std::{sync::Arc, time::Duration};

use graceful::backends::ReceivedEvent;
use graceful_nats::{Filter, Rejected, Subscriber};
use graceful_postgres::Store;
use serde::Deserialize;
use sqlx::{PgConnection, Postgres, Transaction};

use crate::{Done, connected, service::User, variable};

/// Reads until it is killed.
pub async fn run() -> Done {
    let store = connected("GRACEFUL_STORE", async |url| {
        Store::migrate(url).await?;
        Store::connect(url).await
    });
    let store = store.await?;
    create_table().await?;
    let filter = Filter::new().service(variable("GRACEFUL_SERVICE")?).pattern("user");
    let connect = async |url: &str| Subscriber::connect(url, "letters", &filter).await;
    let subscriber = connected("GRACEFUL_EVENTS", connect)
        .await?
        // The event of a process that died is redelivered after this time.
        .ack_wait(Duration::from_secs(2))
        .on_poison(|poison| println!("poison event: {poison:?}"));
    println!("ready");
    // The store is the inbox: it records the event in the transaction that the handler gets.
    Ok(subscriber.run(&store, write_letter).await?)
}

/// What the event of an error says.
#[derive(Deserialize)]
struct Failed {
    code: String,
    message: String,
}

/// It has no key: an event that had its effect twice would be two letters.
async fn create_table() -> Done {
    let mut connection = <PgConnection as sqlx::Connection>::connect(&variable("GRACEFUL_STORE")?).await?;
    sqlx::raw_sql(
        "SELECT pg_advisory_xact_lock(1);
         CREATE TABLE IF NOT EXISTS letters (event text NOT NULL, name text NOT NULL, text text NOT NULL)",
    )
    .execute(&mut connection)
    .await?;
    Ok(())
}

async fn write_letter(
    event: Arc<ReceivedEvent>,
    mut transaction: Transaction<'static, Postgres>,
) -> Result<Transaction<'static, Postgres>, Rejected> {
    let text = match event.name.as_str() {
        "user_renamed" => {
            let User { name, version, .. } = event.result()?;
            format!("Dear {name}, this is your name number {version}")
        }
        _ => {
            let Failed { code, message } = event.data.decode()?;
            format!("Sorry, your name could not be changed: {message} ({code})")
        }
    };
    sqlx::query("INSERT INTO letters VALUES ($1, $2, $3)")
        .bind(&event.id)
        .bind(&event.name)
        .bind(&text)
        .execute(&mut *transaction)
        .await?;
    println!("{}: {text}", event.name);
    Ok(transaction)
}
