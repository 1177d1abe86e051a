//! The key of an idempotent call: a value, or an `Option` of one. Which one is found by method resolution, as in
//! [`probe`](super::super::probe()).

use std::{fmt::Display, ops::Deref};

use super::CallNames;

/// The value of a key expression; the first level: a value that names the key.
#[derive(Debug)]
pub struct Keyed<'a, T: ?Sized>(OptionalKey<'a, T>);

/// The second level: an `Option`, whose `None` is a plain call.
#[derive(Debug)]
pub struct OptionalKey<'a, T: ?Sized>(AnyKey<'a, T>);

/// The last level: any type.
#[derive(Debug)]
pub struct AnyKey<'a, T: ?Sized>(&'a T);

/// Starts the method resolution for the value of an expression.
#[inline]
pub fn keyed<T: ?Sized>(value: &T) -> Keyed<'_, T> {
    Keyed(OptionalKey(AnyKey(value)))
}

impl<'a, T: ?Sized> Deref for Keyed<'a, T> {
    type Target = OptionalKey<'a, T>;

    fn deref(&self) -> &OptionalKey<'a, T> {
        &self.0
    }
}

impl<'a, T: ?Sized> Deref for OptionalKey<'a, T> {
    type Target = AnyKey<'a, T>;

    fn deref(&self) -> &AnyKey<'a, T> {
        &self.0
    }
}

impl<T: Display + ?Sized> Keyed<'_, T> {
    pub fn __graceful_key(&self, names: &mut CallNames) {
        names.key((***self).0);
    }
}

impl<T: Display> OptionalKey<'_, Option<T>> {
    pub fn __graceful_key(&self, names: &mut CallNames) {
        if let Some(key) = self.0.0 {
            names.key(key);
        }
    }
}

impl<T: Display> OptionalKey<'_, &Option<T>> {
    pub fn __graceful_key(&self, names: &mut CallNames) {
        if let Some(key) = self.0.0 {
            names.key(key);
        }
    }
}

/// A type that can name an idempotent call.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot name a call: it does not implement `Display`",
    label = "this becomes a part of the idempotency key, so it needs `Display`",
    note = "name a field that does, such as `request.key`, or use a template: \"{{account}}/{{request.key}}\"; the key may be an `Option`, and to compare whole \
            requests there is `idempotent(key = …, request = …)`"
)]
pub trait NamesCall: Display {}
#[diagnostic::do_not_recommend]
impl<T: Display + ?Sized> NamesCall for T {}

impl<T: ?Sized> AnyKey<'_, T> {
    /// Reports the missing trait.
    pub fn __graceful_key(&self, names: &mut CallNames)
    where
        T: NamesCall,
    {
        names.key(self.0);
    }
}
