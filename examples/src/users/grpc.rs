//! The users over gRPC: errors as a status with details.

use std::sync::Arc;

use graceful::tonic::{idempotency_key, status};
use tonic::{Request, Response, Status};

use super::{
    Mail, NewUser, User, Users,
    proto::{CreateUser, Deleted, User as Message, UserId, users_server},
};

/// The service of the protocol.
#[derive(Debug)]
pub struct Service<M>(Arc<Users<M>>);

/// The service, without who calls.
pub fn service<M: Mail>(users: Arc<Users<M>>) -> users_server::UsersServer<Service<M>> {
    users_server::UsersServer::new(Service(users))
}

impl From<User> for Message {
    fn from(User { id, name, email }: User) -> Self {
        Self { id, name, email }
    }
}

#[tonic::async_trait]
impl<M: Mail> users_server::Users for Service<M> {
    async fn create(&self, request: Request<CreateUser>) -> Result<Response<Message>, Status> {
        let key = idempotency_key(&request)?;
        let CreateUser { name, email } = request.into_inner();
        let user = self.0.create(key, NewUser { name, email }).await.map_err(status)?;
        Ok(Response::new(user.into()))
    }

    async fn read(&self, request: Request<UserId>) -> Result<Response<Message>, Status> {
        let user = self.0.read(request.into_inner().id).await.map_err(status)?;
        Ok(Response::new(user.into()))
    }

    async fn update(&self, request: Request<Message>) -> Result<Response<Message>, Status> {
        let Message { id, name, email } = request.into_inner();
        let user = self.0.update(User { id, name, email }).await.map_err(status)?;
        Ok(Response::new(user.into()))
    }

    async fn delete(&self, request: Request<UserId>) -> Result<Response<Deleted>, Status> {
        self.0.delete(request.into_inner().id).await.map_err(status)?;
        Ok(Response::new(Deleted {}))
    }
}
