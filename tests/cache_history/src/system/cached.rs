//! The crate `cached` as it is usually used: an attribute on each reader, and `cache_remove` after writes.
//!
//! A load that has begun before a write and ends after its `cache_remove` puts the old value.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use cached::{Cached as _, macros::cached};

use super::System;
use crate::{
    data::{Failure, Manner, Order, Orders, Profile, Subject, User, Write},
    source::Source,
};

/// The attribute makes one cache a function, so each run has names of its own.
type Name = (u64, u64);

#[derive(Debug)]
pub struct WithAttribute {
    source: Arc<Source>,
    run: u64,
}

impl WithAttribute {
    pub fn new(source: &Arc<Source>) -> Self {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        Self { source: Arc::clone(source), run: RUNS.fetch_add(1, Ordering::Relaxed) }
    }
}

#[cached(max_size = 100_000, key = "Name", convert = { name })]
async fn user(source: &Source, name: Name) -> Result<Option<User>, Failure> {
    source.user(name.1).await
}

#[cached(max_size = 100_000, key = "Name", convert = { name })]
async fn order(source: &Source, name: Name) -> Result<Option<Order>, Failure> {
    source.order(name.1).await
}

#[cached(max_size = 100_000, key = "Name", convert = { name })]
async fn orders(source: &Source, name: Name) -> Result<Orders, Failure> {
    source.orders(name.1).await
}

#[cached(max_size = 100_000, key = "Name", convert = { name })]
async fn profile(source: &Source, name: Name) -> Result<Profile, Failure> {
    Ok(Profile { user: user(source, name).await?, orders: orders(source, name).await? })
}

impl System for WithAttribute {
    async fn user(&self, id: u64) -> Result<Option<User>, Failure> {
        user(&self.source, (self.run, id)).await
    }

    async fn order(&self, id: u64) -> Result<Option<Order>, Failure> {
        order(&self.source, (self.run, id)).await
    }

    async fn orders(&self, customer: u64) -> Result<Orders, Failure> {
        orders(&self.source, (self.run, customer)).await
    }

    async fn profile(&self, id: u64) -> Result<Profile, Failure> {
        profile(&self.source, (self.run, id)).await
    }

    async fn write(&self, operation: u64, write: Write) -> Result<(), Failure> {
        if let (Manner::ReadsFirst, Subject::User(id)) = (write.manner, write.change.subjects()[0]) {
            self.user(id).await?;
        }
        let written = self.source.write(operation, write).await;
        for subject in write.change.subjects() {
            let name = |id| (self.run, id);
            match subject {
                Subject::User(id) => {
                    let _ = USER.write().await.cache_remove(&name(id));
                    let _ = PROFILE.write().await.cache_remove(&name(id));
                }
                Subject::Order(id) => {
                    let _ = ORDER.write().await.cache_remove(&name(id));
                }
                Subject::Orders(customer) => {
                    let _ = ORDERS.write().await.cache_remove(&name(customer));
                    let _ = PROFILE.write().await.cache_remove(&name(customer));
                }
            }
        }
        written.map(drop)
    }

    async fn at_rest(&self) {}
}
