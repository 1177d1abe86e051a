//! A projection: at which mail domains the users have their addresses. It is built from the events, and can be rebuilt from the event log.
//!
//! Each event has a subscriber of its own. One subscriber gets the events of a user in their order, but three are not in order with each
//! other, so a row tells the time of its event, and the newest wins. That makes a repetition harmless, too.

use graceful::{EventData, State, backends::Timestamp, subscribe};
use sqlx::AnyPool;

use super::{User, UserError};

/// The projection. A deleted user has a row without a domain.
#[derive(Clone, Debug)]
pub struct Domains(AnyPool);

const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS user_domains (id BIGINT PRIMARY KEY, domain TEXT, at BIGINT NOT NULL)";

impl Domains {
    /// Opens the projection in the database of the users, and creates its table if it is missing.
    ///
    /// # Errors
    /// Fails if the database cannot be opened.
    pub async fn open(database: &str) -> Result<Self, sqlx::Error> {
        sqlx::any::install_default_drivers();
        let pool = AnyPool::connect(database).await?;
        sqlx::query(TABLE).execute(&pool).await?;
        Ok(Self(pool))
    }

    /// Returns how many users each domain has, by domain.
    ///
    /// # Errors
    /// Fails if the database is unavailable.
    pub async fn users(&self) -> Result<Vec<(String, i64)>, UserError> {
        let users = "SELECT domain, count(*) FROM user_domains WHERE domain IS NOT NULL GROUP BY domain ORDER BY domain";
        Ok(sqlx::query_as(users).fetch_all(&self.0).await?)
    }

    async fn put(&self, id: i64, domain: Option<&str>, at: Timestamp) -> Result<(), UserError> {
        let put = "INSERT INTO user_domains (id, domain, at) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE \
                   SET domain = excluded.domain, at = excluded.at WHERE user_domains.at <= excluded.at";
        sqlx::query(put).bind(id).bind(domain).bind(at.as_microsecond()).execute(&self.0).await?;
        Ok(())
    }
}

fn domain_of(user: &User) -> Option<&str> {
    user.email.split_once('@').map(|(_, domain)| domain)
}

#[subscribe(event = "user_created", pattern = "user", from = "start")]
async fn created(event: EventData<User>, State(domains): State<Domains>) -> Result<(), UserError> {
    domains.put(event.result.id, domain_of(&event.result), event.timestamp).await
}

#[subscribe(event = "user_updated", pattern = "user", from = "start")]
async fn updated(event: EventData<User>, State(domains): State<Domains>) -> Result<(), UserError> {
    domains.put(event.result.id, domain_of(&event.result), event.timestamp).await
}

#[subscribe(event = "user_deleted", pattern = "user", from = "start")]
async fn deleted(event: EventData<()>, State(domains): State<Domains>) -> Result<(), UserError> {
    let id = event.entity_id.as_deref().and_then(|id| id.parse().ok());
    let id = id.ok_or(UserError::Invalid("the event has no id of a user"))?;
    domains.put(id, None, event.timestamp).await
}
