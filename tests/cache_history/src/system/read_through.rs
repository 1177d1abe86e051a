//! Handlers that read through the cache, and writers of what they read.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use graceful::{Orchestrator, backends::Cache, orchestrate};

use super::System;
use crate::{
    data::{Change, Failure, Manner, Order, Orders, Profile, Subject, User, Write},
    source::Source,
};

#[derive(Clone, Debug)]
pub struct ReadThrough {
    source: Arc<Source>,
    orchestrator: Orchestrator,
    /// How often a user was read.
    reads: Arc<AtomicU64>,
}

#[orchestrate(pattern = "user", cache(key = id, read))]
async fn load_user(source: &Source, id: u64) -> Result<Option<User>, Failure> {
    source.user(id).await
}

/// It is refreshed so often that a refresh meets writes.
#[orchestrate(pattern = "order", cache(key = id, read, refresh = "3ms"))]
async fn load_order(source: &Source, id: u64) -> Result<Option<Order>, Failure> {
    source.order(id).await
}

#[orchestrate(pattern = "order_list", cache(key = customer, read, depends_on(customer = customer)))]
async fn load_orders(source: &Source, customer: u64) -> Result<Orders, Failure> {
    source.orders(customer).await
}

#[orchestrate(pattern = "profile", cache(key = id, read, depends_on(user = id, customer = id)))]
async fn load_profile(system: &ReadThrough, id: u64) -> Result<Profile, Failure> {
    Ok(Profile { user: system.user(id).await?, orders: system.orders(id).await? })
}

/// Saves or deletes.
#[orchestrate(pattern = "user", cache(key = id, required))]
async fn write_user(
    system: &ReadThrough,
    operation: u64,
    id: u64,
    write: Write,
) -> Result<Option<User>, Failure> {
    if write.manner == Manner::ReadsFirst {
        system.user(id).await?;
    }
    Ok(system.source.write(operation, write).await?.user())
}

#[orchestrate(pattern = "user", cache(key = result.id))]
async fn write_user_over_result(system: &ReadThrough, operation: u64, write: Write) -> Result<User, Failure> {
    Ok(system.source.write(operation, write).await?.user().expect("it was saved"))
}

/// Saves or deletes.
#[orchestrate(pattern = "order", cache(key = id, touches(customer = customers), required))]
async fn write_order(
    system: &ReadThrough,
    operation: u64,
    id: u64,
    customers: [u64; 2],
    write: Write,
) -> Result<Option<Order>, Failure> {
    if write.manner == Manner::ReadsFirst {
        system.order(id).await?;
        system.orders(customers[0]).await?;
    }
    Ok(system.source.write(operation, write).await?.order())
}

/// Saves or deletes.
#[orchestrate(pattern = "order", cache(key = id))]
async fn write_order_that_touches(
    system: &ReadThrough,
    operation: u64,
    id: u64,
    customers: [u64; 2],
    write: Write,
) -> Result<Option<Order>, Failure> {
    let written = system.source.write(operation, write).await;
    for customer in customers {
        graceful::touch("customer", customer);
    }
    Ok(written?.order())
}

#[orchestrate(pattern = "order", cache(key = result.id, touches(customer = customers)))]
async fn write_order_over_result(
    system: &ReadThrough,
    operation: u64,
    customers: [u64; 2],
    write: Write,
) -> Result<Order, Failure> {
    Ok(system.source.write(operation, write).await?.order().expect("it was saved"))
}

impl ReadThrough {
    pub fn new(source: &Arc<Source>, service: &str, cache: impl Cache) -> Self {
        let orchestrator = Orchestrator::builder().service(service.to_owned()).cache(cache).build().unwrap();
        Self::on(source, orchestrator)
    }

    pub fn on(source: &Arc<Source>, orchestrator: Orchestrator) -> Self {
        Self { source: Arc::clone(source), orchestrator, reads: Arc::default() }
    }

    pub fn orchestrator(&self) -> &Orchestrator {
        &self.orchestrator
    }

    /// The entities that a change changes.
    fn entities(change: Change) -> Vec<(&'static str, u64)> {
        let entity = |subject| match subject {
            Subject::User(id) => ("user", id),
            Subject::Order(id) => ("order", id),
            Subject::Orders(customer) => ("customer", customer),
        };
        change.subjects().into_iter().map(entity).collect()
    }

    async fn write_user(&self, operation: u64, id: u64, write: Write) -> Result<(), Failure> {
        match write.manner {
            Manner::OverResult => write_user_over_result(self, operation, write).await.map(drop),
            _ => write_user(self, operation, id, write).await.map(drop),
        }
    }

    async fn write_order(
        &self,
        operation: u64,
        id: u64,
        customers: [u64; 2],
        write: Write,
    ) -> Result<(), Failure> {
        match write.manner {
            Manner::OverResult => write_order_over_result(self, operation, customers, write).await.map(drop),
            Manner::Touches => {
                write_order_that_touches(self, operation, id, customers, write).await.map(drop)
            }
            _ => write_order(self, operation, id, customers, write).await.map(drop),
        }
    }
}

impl System for ReadThrough {
    /// By a handler, and sometimes without one.
    async fn user(&self, id: u64) -> Result<Option<User>, Failure> {
        if !self.reads.fetch_add(1, Ordering::Relaxed).is_multiple_of(4) {
            return self.orchestrator.scope(load_user(&self.source, id)).await;
        }
        self.orchestrator.read_through("user", id).load(|| self.source.user(id)).await
    }

    async fn order(&self, id: u64) -> Result<Option<Order>, Failure> {
        self.orchestrator.scope(load_order(&self.source, id)).await
    }

    async fn orders(&self, customer: u64) -> Result<Orders, Failure> {
        self.orchestrator.scope(load_orders(&self.source, customer)).await
    }

    async fn profile(&self, id: u64) -> Result<Profile, Failure> {
        self.orchestrator.scope(load_profile(self, id)).await
    }

    async fn write(&self, operation: u64, write: Write) -> Result<(), Failure> {
        let entities = Self::entities(write.change);
        match (write.manner, write.change) {
            (Manner::WithoutHandler, _) => {
                let change = || self.source.write(operation, write);
                self.orchestrator.changing(entities, change).await?.map(drop)
            }
            (Manner::Invalidates, _) => {
                let written = self.source.write(operation, write).await;
                self.orchestrator.invalidate(entities).await?;
                written.map(drop)
            }
            (_, Change::SaveUser(id) | Change::DeleteUser(id)) => {
                self.orchestrator.scope(self.write_user(operation, id, write)).await
            }
            (_, Change::SaveOrder { id, customers, .. } | Change::DeleteOrder { id, customers }) => {
                self.orchestrator.scope(self.write_order(operation, id, customers, write)).await
            }
        }
    }

    async fn at_rest(&self) {
        self.orchestrator.idle().await;
    }
}
