//! Handlers that read through the cache, in memory.

mod counters;
mod ends;
mod entries;
mod faults;
mod flights;
mod limits;
mod reads;
mod reasons;
mod refresh;
mod required;
mod source;
mod touch;
mod within;
mod writes;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use graceful::{Classify, Orchestrator, StepError};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct User {
    id: u64,
    name: String,
}

impl User {
    fn new(id: u64, name: &str) -> Self {
        Self { id, name: name.to_owned() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Classify)]
enum UserError {
    #[classify(code = NotFound, message = "no such user")]
    NoSuchUser,
    #[classify(code = InvalidArgument, message = "the name is empty")]
    EmptyName,
    #[classify(code = Unavailable, message = "the database is down")]
    Down,
    #[classify(code = Unavailable, message = "refused")]
    Refused,
}

impl From<StepError> for UserError {
    fn from(_: StepError) -> Self {
        Self::Refused
    }
}

/// A database of users that counts its reads.
#[derive(Clone, Debug, Default)]
struct Database {
    users: Arc<Mutex<BTreeMap<u64, User>>>,
    reads: Arc<AtomicU64>,
}

impl Database {
    fn with(users: &[User]) -> Self {
        let database = Self::default();
        for user in users {
            database.put(user);
        }
        database
    }

    fn put(&self, user: &User) {
        self.users.lock().unwrap().insert(user.id, user.clone());
    }

    fn get(&self, id: u64) -> Option<User> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.users.lock().unwrap().get(&id).cloned()
    }

    fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }
}

fn orchestrator() -> Orchestrator {
    Orchestrator::builder().in_memory().service("users").build().unwrap()
}
