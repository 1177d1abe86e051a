//! Handlers that put into the cache by hand: a reader looks into the cache, and puts what it has loaded; a writer puts what it has
//! written, and invalidates the lists.
//!
//! A load that has begun before a write and ends after it puts the old value over the new one.

use std::{sync::Arc, time::Duration};

use graceful::{Orchestrator, backends::Cache, orchestrate};
use serde::de::DeserializeOwned;

use super::System;
use crate::{
    data::{Failure, Manner, Order, Orders, Profile, Subject, User, Write},
    source::Source,
};

/// How long an invalidation remembers a version. There is none here.
const FORGET: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub struct Manual {
    source: Arc<Source>,
    orchestrator: Orchestrator,
}

// The patterns are others than those of the readers that read through, since those are held.

#[orchestrate(pattern = "manual_user", cache(key = id))]
async fn load_user(source: &Source, id: u64) -> Result<Option<User>, Failure> {
    source.user(id).await
}

#[orchestrate(pattern = "manual_order", cache(key = id))]
async fn load_order(source: &Source, id: u64) -> Result<Option<Order>, Failure> {
    source.order(id).await
}

#[orchestrate(pattern = "manual_orders", cache(key = customer))]
async fn load_orders(source: &Source, customer: u64) -> Result<Orders, Failure> {
    source.orders(customer).await
}

#[orchestrate(pattern = "manual_profile", cache(key = id))]
async fn load_profile(system: &Manual, id: u64) -> Result<Profile, Failure> {
    Ok(Profile { user: system.user(id).await?, orders: system.orders(id).await? })
}

#[orchestrate(pattern = "manual_user", cache(key = id))]
async fn write_user(
    source: &Arc<Source>,
    operation: u64,
    id: u64,
    write: Write,
) -> Result<Option<User>, Failure> {
    Ok(source.write(operation, write).await?.user())
}

#[orchestrate(pattern = "manual_order", cache(key = id))]
async fn write_order(
    source: &Arc<Source>,
    operation: u64,
    id: u64,
    write: Write,
) -> Result<Option<Order>, Failure> {
    Ok(source.write(operation, write).await?.order())
}

impl Manual {
    pub fn new(source: &Arc<Source>, service: &str, cache: impl Cache) -> Self {
        let orchestrator = Orchestrator::builder().service(service.to_owned()).cache(cache).build().unwrap();
        Self { source: Arc::clone(source), orchestrator }
    }

    async fn cached<T: DeserializeOwned>(&self, pattern: &str, id: u64) -> Option<T> {
        self.orchestrator.cached(pattern, id).await.ok().flatten()
    }

    /// A cache that is unavailable fails no call.
    async fn invalidate(&self, pattern: &str, id: u64) {
        let cache = self.orchestrator.cache().unwrap();
        let _ = cache.invalidate(&self.orchestrator.key(pattern, id), None, FORGET).await;
    }
}

impl System for Manual {
    async fn user(&self, id: u64) -> Result<Option<User>, Failure> {
        match self.cached("manual_user", id).await {
            Some(user) => Ok(user),
            None => self.orchestrator.scope(load_user(&self.source, id)).await,
        }
    }

    async fn order(&self, id: u64) -> Result<Option<Order>, Failure> {
        match self.cached("manual_order", id).await {
            Some(order) => Ok(order),
            None => self.orchestrator.scope(load_order(&self.source, id)).await,
        }
    }

    async fn orders(&self, customer: u64) -> Result<Orders, Failure> {
        match self.cached("manual_orders", customer).await {
            Some(orders) => Ok(orders),
            None => self.orchestrator.scope(load_orders(&self.source, customer)).await,
        }
    }

    async fn profile(&self, id: u64) -> Result<Profile, Failure> {
        match self.cached("manual_profile", id).await {
            Some(profile) => Ok(profile),
            None => self.orchestrator.scope(load_profile(self, id)).await,
        }
    }

    async fn write(&self, operation: u64, write: Write) -> Result<(), Failure> {
        let subjects = write.change.subjects();
        let written = match subjects[0] {
            Subject::User(id) => {
                if write.manner == Manner::ReadsFirst {
                    self.user(id).await?;
                }
                let call = write_user(&self.source, operation, id, write);
                self.orchestrator.scope(call).await.map(drop)
            }
            Subject::Order(id) => {
                let call = write_order(&self.source, operation, id, write);
                self.orchestrator.scope(call).await.map(drop)
            }
            Subject::Orders(_) => unreachable!("a list changes with its orders"),
        };
        for subject in subjects {
            match subject {
                Subject::User(id) => self.invalidate("manual_profile", id).await,
                Subject::Order(_) => {}
                Subject::Orders(customer) => {
                    self.invalidate("manual_orders", customer).await;
                    self.invalidate("manual_profile", customer).await;
                }
            }
        }
        written
    }

    async fn at_rest(&self) {
        self.orchestrator.idle().await;
    }
}
