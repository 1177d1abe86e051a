//! The users of this process, where another service would ask its database.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{NewUser, User, UserError};

#[derive(Debug, Default)]
pub(super) struct Table(Mutex<BTreeMap<u64, User>>);

impl Table {
    pub(super) fn insert(&self, NewUser { name, email }: NewUser) -> Result<User, UserError> {
        let mut users = self.locked();
        free(&users, &name, None)?;
        let id = users.last_key_value().map_or(1, |(last, _)| last + 1);
        let user = User { id, name, email };
        users.insert(id, user.clone());
        Ok(user)
    }

    pub(super) fn get(&self, id: u64) -> Result<User, UserError> {
        self.locked().get(&id).cloned().ok_or(UserError::Missing(id))
    }

    pub(super) fn update(&self, user: User) -> Result<User, UserError> {
        let mut users = self.locked();
        free(&users, &user.name, Some(user.id))?;
        let known = users.get_mut(&user.id).ok_or(UserError::Missing(user.id))?;
        known.clone_from(&user);
        Ok(user)
    }

    pub(super) fn remove(&self, id: u64) -> Result<(), UserError> {
        self.locked().remove(&id).map(drop).ok_or(UserError::Missing(id))
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<u64, User>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn free(users: &BTreeMap<u64, User>, name: &str, but_for: Option<u64>) -> Result<(), UserError> {
    match users.values().any(|user| user.name == name && Some(user.id) != but_for) {
        true => Err(UserError::Taken(name.to_owned())),
        false => Ok(()),
    }
}
