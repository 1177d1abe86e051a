//! The users over HTTP: JSON in and out, errors as problem details.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{
        Path, State,
        rejection::{JsonRejection, PathRejection},
    },
    http::StatusCode,
    routing::{get, post},
};
use graceful::{axum::Problem, idempotency::IdempotencyKey};

use super::{Domains, Mail, NewUser, User, Users};

type Id = Result<Path<i64>, PathRejection>;
type Body<T> = Result<Json<T>, JsonRejection>;

/// The routes, without who calls.
pub fn routes<M: Mail>(users: Arc<Users<M>>) -> Router {
    Router::new()
        .route("/users", post(create))
        .route("/users/pages/{page}", get(list))
        .route("/users/{id}", get(read).put(update).delete(delete))
        .with_state(users)
}

/// The route of the projection.
pub fn domains(domains: Domains) -> Router {
    Router::new().route("/domains", get(count)).with_state(domains)
}

async fn count(State(domains): State<Domains>) -> Result<Json<BTreeMap<String, i64>>, Problem> {
    Ok(Json(domains.users().await?.into_iter().collect()))
}

async fn create<M: Mail>(
    State(users): State<Arc<Users<M>>>,
    key: Option<IdempotencyKey>,
    new: Body<NewUser>,
) -> Result<(StatusCode, Json<User>), Problem> {
    Ok((StatusCode::CREATED, Json(users.create(key, new?.0).await?)))
}

async fn read<M: Mail>(State(users): State<Arc<Users<M>>>, id: Id) -> Result<Json<User>, Problem> {
    Ok(Json(users.read(id?.0).await?))
}

async fn list<M: Mail>(
    State(users): State<Arc<Users<M>>>,
    page: Result<Path<u32>, PathRejection>,
) -> Result<Json<Vec<User>>, Problem> {
    Ok(Json(users.list(page?.0).await?))
}

async fn update<M: Mail>(
    State(users): State<Arc<Users<M>>>,
    id: Id,
    user: Body<NewUser>,
) -> Result<Json<User>, Problem> {
    let (Path(id), Json(NewUser { name, email })) = (id?, user?);
    Ok(Json(users.update(User { id, name, email }).await?))
}

async fn delete<M: Mail>(State(users): State<Arc<Users<M>>>, id: Id) -> Result<StatusCode, Problem> {
    users.delete(id?.0).await?;
    Ok(StatusCode::NO_CONTENT)
}
