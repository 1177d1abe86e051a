//! The service: four handlers that contain business logic only. The attribute above each of them declares its steps.

use std::{
    collections::{HashMap, hash_map::Entry},
    error::Error,
    fmt, io,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use graceful::{Classify, orchestrate};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    pub id: u64,
    pub name: String,
    pub email: String,
}

/// The errors and their codes, on which the steps of the error flow depend.
#[derive(Debug, Classify)]
pub enum UserError {
    #[classify(code = NotFound, message = "there is no user {id}")]
    NotFound { id: u64 },
    #[classify(code = AlreadyExists, message = "there is a user {id} already")]
    AlreadyExists { id: u64 },
    #[classify(code = InvalidArgument, message = "{0}")]
    Invalid(&'static str),
    #[classify(transparent)]
    Storage(io::Error),
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl Error for UserError {}

#[derive(Default)]
pub struct UserService {
    users: Mutex<HashMap<u64, User>>,
    unplugged: AtomicBool,
}

#[orchestrate(pattern = "user")]
impl UserService {
    #[orchestrate(cache = user.id, event = "user_created")]
    pub async fn create(&self, user: User) -> Result<User, UserError> {
        user.check()?;
        match self.storage()?.entry(user.id) {
            Entry::Occupied(_) => Err(UserError::AlreadyExists { id: user.id }),
            Entry::Vacant(place) => Ok(place.insert(user).clone()),
        }
    }

    /// It is answered from the cache if it can be. If it cannot, and the storage does not answer, callers get the user that was last loaded.
    #[orchestrate(cache(key = id, ttl = "1m", read), event = "user_read", fallback(last_good, max_age = "1h"))]
    pub async fn get(&self, id: u64) -> Result<User, UserError> {
        self.storage()?.get(&id).cloned().ok_or(UserError::NotFound { id })
    }

    #[orchestrate(cache = user.id, event = "user_updated")]
    pub async fn update(&self, user: User) -> Result<User, UserError> {
        user.check()?;
        match self.storage()?.get_mut(&user.id) {
            Some(place) => {
                place.clone_from(&user);
                Ok(user)
            }
            None => Err(UserError::NotFound { id: user.id }),
        }
    }

    /// It returns `()`, so there is nothing to cache: its `Ok` invalidates the key.
    #[orchestrate(cache = id, event = "user_deleted", alert(severity = "critical"))]
    pub async fn delete(&self, id: u64) -> Result<(), UserError> {
        self.storage()?.remove(&id).map(drop).ok_or(UserError::NotFound { id })
    }

    /// The storage: a table in memory that can be unplugged, to see the error flow.
    fn storage(&self) -> Result<MutexGuard<'_, HashMap<u64, User>>, UserError> {
        if self.unplugged.load(Ordering::Relaxed) {
            return Err(UserError::Storage(io::ErrorKind::ConnectionRefused.into()));
        }
        Ok(self.users.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn unplug(&self, unplugged: bool) {
        self.unplugged.store(unplugged, Ordering::Relaxed);
    }
}

impl User {
    pub fn check(&self) -> Result<(), UserError> {
        match self {
            Self { name, .. } if name.trim().is_empty() => Err(UserError::Invalid("the name is empty")),
            Self { email, .. } if !email.contains('@') => Err(UserError::Invalid("the email has no @")),
            _ => Ok(()),
        }
    }
}
