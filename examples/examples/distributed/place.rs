//! Where a run of the show is in the servers: a schema, a stream and a service of its own.

use std::env;

use async_nats::jetstream;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::Done;

pub struct Place {
    /// Of the schema, the stream and the service.
    name: String,
    cache: String,
    events: String,
    store: String,
}

impl Place {
    /// In the servers that the environment names, or those of this machine.
    pub fn found() -> Self {
        let or = |name: &str, url: &str| env::var(name).unwrap_or_else(|_| url.to_owned());
        Self {
            name: format!("example_{}", std::process::id()),
            cache: or("GRACEFUL_CACHE", "redis://127.0.0.1"),
            events: or("GRACEFUL_EVENTS", "nats://127.0.0.1"),
            store: or("GRACEFUL_STORE", "postgres://postgres:graceful@127.0.0.1/postgres"),
        }
    }

    /// The environment of the processes.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("GRACEFUL_SERVICE", self.name.clone()),
            ("GRACEFUL_CACHE", self.cache.clone()),
            ("GRACEFUL_EVENTS", with(&self.events, "stream", &self.name)),
            ("GRACEFUL_STORE", self.store()),
        ]
    }

    pub fn store(&self) -> String {
        with(&self.store, "options[search_path]", &self.name)
    }

    pub async fn create(&self) -> Done {
        self.execute(&format!("CREATE SCHEMA {}", self.name)).await
    }

    /// What is in the cache goes by itself.
    pub async fn remove(&self) -> Done {
        self.execute(&format!("DROP SCHEMA {} CASCADE", self.name)).await?;
        self.jetstream().await?.delete_stream(&self.name).await?;
        Ok(())
    }

    /// How many events are in the stream.
    pub async fn events(&self) -> Done<i64> {
        let stream = self.jetstream().await?.get_stream(&self.name).await?;
        Ok(i64::try_from(stream.cached_info().state.messages)?)
    }

    async fn jetstream(&self) -> Done<jetstream::Context> {
        Ok(jetstream::new(async_nats::connect(&self.events).await?))
    }

    async fn execute(&self, statement: &str) -> Done {
        let connected = PgConnection::connect(&self.store).await;
        let mut connection = connected.map_err(|error| format!("GRACEFUL_STORE: {error}"))?;
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
        Ok(())
    }
}

fn with(url: &str, option: &str, value: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{option}={value}")
}
