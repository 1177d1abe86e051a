//! `moka` as it is usually used: `get_with` for reads, and `invalidate` after writes.
//!
//! A load that has begun before a write and ends after its `invalidate` puts the old value.

use std::sync::Arc;

use moka::future::Cache;

use super::System;
use crate::{
    data::{Failure, Manner, Order, Orders, Profile, Subject, User, Write},
    source::Source,
};

#[derive(Debug)]
pub struct Moka {
    source: Arc<Source>,
    users: Cache<u64, Option<User>>,
    order: Cache<u64, Option<Order>>,
    orders: Cache<u64, Orders>,
    profiles: Cache<u64, Profile>,
}

impl Moka {
    pub fn new(source: &Arc<Source>) -> Self {
        Self {
            source: Arc::clone(source),
            users: Cache::new(100_000),
            order: Cache::new(100_000),
            orders: Cache::new(100_000),
            profiles: Cache::new(100_000),
        }
    }
}

impl System for Moka {
    async fn user(&self, id: u64) -> Result<Option<User>, Failure> {
        self.users.try_get_with(id, self.source.user(id)).await.map_err(|failure| *failure)
    }

    async fn order(&self, id: u64) -> Result<Option<Order>, Failure> {
        self.order.try_get_with(id, self.source.order(id)).await.map_err(|failure| *failure)
    }

    async fn orders(&self, customer: u64) -> Result<Orders, Failure> {
        self.orders.try_get_with(customer, self.source.orders(customer)).await.map_err(|failure| *failure)
    }

    async fn profile(&self, id: u64) -> Result<Profile, Failure> {
        let load = async { Ok(Profile { user: self.user(id).await?, orders: self.orders(id).await? }) };
        self.profiles.try_get_with(id, load).await.map_err(|failure: Arc<Failure>| *failure)
    }

    async fn write(&self, operation: u64, write: Write) -> Result<(), Failure> {
        if let (Manner::ReadsFirst, Subject::User(id)) = (write.manner, write.change.subjects()[0]) {
            self.user(id).await?;
        }
        let written = self.source.write(operation, write).await;
        for subject in write.change.subjects() {
            match subject {
                Subject::User(id) => {
                    self.users.invalidate(&id).await;
                    self.profiles.invalidate(&id).await;
                }
                Subject::Order(id) => self.order.invalidate(&id).await,
                Subject::Orders(customer) => {
                    self.orders.invalidate(&customer).await;
                    self.profiles.invalidate(&customer).await;
                }
            }
        }
        written.map(drop)
    }

    async fn at_rest(&self) {}
}
