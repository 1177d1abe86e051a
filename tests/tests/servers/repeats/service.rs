//! The server process: a payment with `tx`, and one without.

use std::{path::Path, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path as InPath, State},
    routing::post,
};
use graceful::{
    Orchestrator, RelaySettings, StepError,
    axum::Problem,
    idempotency::IdempotencyKey,
    orchestrate,
    tower::{ContextLayer, ReplayLayer},
};
use graceful_postgres::Store;
use sqlx::{PgConnection, PgPool, Postgres, Transaction, postgres::PgPoolOptions};
use tokio::net::TcpListener;

/// Longer than PostgreSQL takes to notice that a process is gone.
const LEASE: Duration = Duration::from_secs(1);

pub async fn serve(directory: &Path) {
    let url = std::fs::read_to_string(directory.join("url")).unwrap();
    let store = Store::connect(&url).await.unwrap();
    let builder = Orchestrator::builder().service("shop").store(store).relay(RelaySettings::off());
    let orchestrator = builder.idempotency_lease(LEASE).build().unwrap();
    let pool = PgPoolOptions::new().max_connections(20).connect(&url).await.unwrap();
    let routes = Router::new()
        .route("/tx/{n}", post(pay_tx))
        .route("/claimed/{n}", post(pay_claimed))
        .with_state(Arc::new(pool))
        .layer(ReplayLayer::new())
        .layer(ContextLayer::new().on(&orchestrator));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::fs::write(directory.join("new"), address).unwrap();
    std::fs::rename(directory.join("new"), directory.join("address")).unwrap();
    axum::serve(listener, routes).await.unwrap();
}

type Pool = State<Arc<PgPool>>;

async fn pay_tx(
    State(pool): Pool,
    key: IdempotencyKey,
    InPath(n): InPath<i64>,
) -> Result<Json<i64>, Problem> {
    let mut tx = pool.begin().await?;
    let answer = with_tx(&mut tx, &key, n).await?;
    tx.commit().await?;
    Ok(answer)
}

#[orchestrate(pattern = "paid_tx", id = key, event, tx = tx, idempotent(key = key, request = n))]
async fn with_tx(
    tx: &mut Transaction<'_, Postgres>,
    key: &IdempotencyKey,
    n: i64,
) -> Result<Json<i64>, Problem> {
    pause().await;
    let id = effect(tx, "tx", key, n).await?;
    pause().await;
    Ok(Json(id))
}

async fn pay_claimed(
    State(pool): Pool,
    key: IdempotencyKey,
    InPath(n): InPath<i64>,
) -> Result<Json<i64>, Problem> {
    without_tx(&pool, &key, n).await
}

#[orchestrate(pattern = "paid_claimed", id = key, event, delivery = "durable", idempotent(key = key, request = n))]
async fn without_tx(pool: &PgPool, key: &IdempotencyKey, n: i64) -> Result<Json<i64>, Problem> {
    // A body has the lock of its key: where it cannot get it, another body of the key runs.
    let mut body = pool.acquire().await?.detach();
    let locked: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtext($1))")
        .bind(key.as_str())
        .fetch_one(&mut body)
        .await?;
    let acknowledged: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM acknowledged WHERE kind = 'claimed' AND key = $1)")
            .bind(key.as_str())
            .fetch_one(&mut body)
            .await?;
    for (is_violated, why) in [(!locked, "two bodies at once"), (acknowledged, "a body after an answer")] {
        if is_violated {
            sqlx::query("INSERT INTO violations VALUES ($1, $2)")
                .bind(why)
                .bind(key.as_str())
                .execute(&mut body)
                .await?;
        }
    }
    pause().await;
    let id = effect(&mut body, "claimed", key, n).await?;
    pause().await;
    sqlx::query("SELECT pg_advisory_unlock(hashtext($1))").bind(key.as_str()).execute(&mut body).await?;
    Ok(Json(id))
}

async fn effect(
    connection: &mut PgConnection,
    kind: &str,
    key: &IdempotencyKey,
    n: i64,
) -> Result<i64, StepError> {
    sqlx::query_scalar("INSERT INTO effects (kind, key, expected) VALUES ($1, $2, $3) RETURNING id")
        .bind(kind)
        .bind(key.as_str())
        .bind(n)
        .fetch_one(connection)
        .await
        .map_err(StepError::caused_by)
}

/// Work, during which a client may hang up and the process may be killed.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(fastrand::u64(0..30))).await;
}
