//! A cache behind one lock, which a write holds from before its body until its end: slow, and never stale.
//!
//! It shows that the checker finds no fault in a cache that has none.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use tokio::sync::RwLock;

use super::System;
use crate::{
    data::{Failure, Manner, Order, Orders, Profile, Subject, User, Write},
    source::Source,
};

#[derive(Debug)]
pub struct Locked {
    source: Arc<Source>,
    values: Arc<RwLock<Values>>,
}

#[derive(Debug, Default)]
struct Values {
    users: Table<Option<User>>,
    order: Table<Option<Order>>,
    orders: Table<Orders>,
}

#[derive(Debug)]
struct Table<V>(Mutex<HashMap<u64, V>>);

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<V: Clone> Table<V> {
    async fn get(&self, id: u64, load: impl Future<Output = Result<V, Failure>>) -> Result<V, Failure> {
        let found = self.0.lock().unwrap().get(&id).cloned();
        if let Some(value) = found {
            return Ok(value);
        }
        let value = load.await?;
        self.0.lock().unwrap().insert(id, value.clone());
        Ok(value)
    }

    fn remove(&self, id: u64) {
        self.0.lock().unwrap().remove(&id);
    }
}

impl Locked {
    pub fn new(source: &Arc<Source>) -> Self {
        Self { source: Arc::clone(source), values: Arc::default() }
    }
}

impl System for Locked {
    async fn user(&self, id: u64) -> Result<Option<User>, Failure> {
        self.values.read().await.users.get(id, self.source.user(id)).await
    }

    async fn order(&self, id: u64) -> Result<Option<Order>, Failure> {
        self.values.read().await.order.get(id, self.source.order(id)).await
    }

    async fn orders(&self, customer: u64) -> Result<Orders, Failure> {
        self.values.read().await.orders.get(customer, self.source.orders(customer)).await
    }

    async fn profile(&self, id: u64) -> Result<Profile, Failure> {
        Ok(Profile { user: self.user(id).await?, orders: self.orders(id).await? })
    }

    /// In a task of its own, so that a call that is cancelled keeps its lock until its commit has landed.
    async fn write(&self, operation: u64, write: Write) -> Result<(), Failure> {
        if let (Manner::ReadsFirst, Subject::User(id)) = (write.manner, write.change.subjects()[0]) {
            self.user(id).await?;
        }
        let values = Arc::clone(&self.values).write_owned().await;
        let source = Arc::clone(&self.source);
        let written = tokio::spawn(async move {
            let written = source.write(operation, write).await;
            for subject in write.change.subjects() {
                match subject {
                    Subject::User(id) => values.users.remove(id),
                    Subject::Order(id) => values.order.remove(id),
                    Subject::Orders(customer) => values.orders.remove(customer),
                }
            }
            written
        });
        written.await.unwrap().map(drop)
    }

    async fn at_rest(&self) {
        drop(self.values.write().await);
    }
}
