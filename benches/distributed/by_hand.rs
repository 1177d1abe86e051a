//! The code of a competent developer with the same clients: the cache first, so that a consumer of the event finds the right value in it;
//! then concurrently the event, until its acknowledgement, and the row.

use std::sync::Arc;

use async_nats::{
    HeaderMap,
    jetstream::{self, message::PublishMessage},
};
use graceful_benches::user::{User, UserError, store};
use redis::{AsyncTypedCommands as _, aio::MultiplexedConnection};
use serde::Serialize;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{millis, place::Place};

const TTL_SECONDS: u64 = 600;

pub struct ByHand {
    cache: MultiplexedConnection,
    jetstream: jetstream::Context,
    stream: String,
    rows: PgPool,
    /// The row of a flow, as graceful stores it.
    body: Vec<u8>,
}

/// A CloudEvent in structured JSON.
#[derive(Serialize)]
struct Event<'a> {
    specversion: &'static str,
    id: Uuid,
    source: &'static str,
    r#type: &'static str,
    subject: &'a str,
    time: String,
    datacontenttype: &'static str,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    code: &'static str,
    message: &'a str,
    result: Option<&'a User>,
    entity_id: u64,
}

impl ByHand {
    pub async fn new(place: &Place, rows: &PgPool, body: Vec<u8>) -> Self {
        Self {
            cache: place.redis().await,
            jetstream: place.jetstream().await,
            stream: place.name.clone(),
            rows: rows.clone(),
            body,
        }
    }

    pub async fn update_user(self: Arc<Self>, user: User) -> Result<User, UserError> {
        let (id, flow) = (user.id, Uuid::now_v7());
        let key = format!("users::user:{id}");
        let result = store(user);
        let mut cache = self.cache.clone();
        match &result {
            Ok(user) => {
                let value = serde_json::to_string(user).unwrap();
                cache.set_ex(format!("hand:{key}"), &value, TTL_SECONDS).await.unwrap();
                let data = Data { code: "OK", message: "user updated", result: Some(user), entity_id: id };
                tokio::join!(self.emit(flow, "user_updated", &key, data), self.insert(flow, &key, &value));
            }
            Err(error) => {
                cache.del(format!("hand:{key}")).await.unwrap();
                let (code, message) = (error.code().as_str(), error.to_string());
                let data = Data { code, message: &message, result: None, entity_id: id };
                tokio::join!(self.emit(flow, "user_updated.failed", &key, data), self.open(flow, &key, code));
            }
        }
        result
    }

    /// Inserts into a table with the columns of graceful's, for a relay that is not part of this.
    pub async fn store_user(self: Arc<Self>, user: User) -> Result<User, UserError> {
        let (id, flow) = (user.id, Uuid::now_v7());
        let result = store(user);
        // The value is serialised first.
        drop(serde_json::to_vec(&result.as_ref().ok()).unwrap());
        sqlx::query(
            "INSERT INTO outbox (id, entity, handler, body, due) VALUES ($1, $2, 'update_user', $3, $4)",
        )
        .bind(flow)
        .bind(format!("users::user:{id}"))
        .bind(&self.body)
        .bind(millis())
        .execute(&self.rows)
        .await
        .unwrap();
        result
    }

    async fn emit(&self, id: Uuid, name: &'static str, subject: &str, data: Data<'_>) {
        let event = Event {
            specversion: "1.0",
            id,
            source: "users",
            r#type: name,
            subject,
            time: graceful::backends::Timestamp::now().to_string(),
            datacontenttype: "application/json",
            data,
        };
        let mut headers = HeaderMap::new();
        headers.insert("Content-Type", "application/cloudevents+json");
        let message = PublishMessage::build()
            .headers(headers)
            .message_id(id.to_string())
            .payload(serde_json::to_vec(&event).unwrap().into());
        let subject = format!("{}.hand.users.user.{}", self.stream, name.replace('.', "-"));
        self.jetstream.send_publish(subject, message).await.unwrap().await.unwrap();
    }

    async fn insert(&self, flow: Uuid, entity: &str, record: &str) {
        crate::insert(&self.rows, flow, entity, "OK", record).await.unwrap();
    }

    /// Opens a review job, or bumps the open one.
    async fn open(&self, flow: Uuid, entity: &str, code: &str) {
        sqlx::query(
            "INSERT INTO jobs AS job (entity, due, opened_at, bumps, flow, code) VALUES ($1, $2, $3, 1, $4, $5) \
             ON CONFLICT (entity) DO UPDATE SET bumps = job.bumps + 1, flow = excluded.flow, code = excluded.code",
        )
        .bind(entity)
        .bind(millis() + 300_000)
        .bind(millis())
        .bind(flow)
        .bind(code)
        .execute(&self.rows)
        .await
        .unwrap();
    }
}
