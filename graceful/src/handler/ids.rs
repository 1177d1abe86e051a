//! The ids of entities that an expression names: one value, or several. Which one is found by method resolution, as in
//! [`probe`](super::probe()), because a type has no trait that says it.
//!
//! The methods of [`Ids`] exist for one id; those of [`Listed`] for what can be iterated by reference, such as an `Option` or a
//! `Vec`; those of [`Iterated`] for iterators and references to lists; those of [`AnyIds`] for every type.

use std::{fmt::Display, ops::Deref};

/// What is called with each id.
type Each<'a> = &'a mut dyn FnMut(&dyn Display);

/// The value of an expression; the first level.
#[derive(Debug)]
pub struct Ids<'a, T: ?Sized>(Listed<'a, T>);

/// The second level: what can be iterated by reference.
#[derive(Debug)]
pub struct Listed<'a, T: ?Sized>(Iterated<'a, T>);

/// The third level: what can be iterated after it was cloned.
#[derive(Debug)]
pub struct Iterated<'a, T: ?Sized>(AnyIds<'a, T>);

/// The last level: any type.
#[derive(Debug)]
pub struct AnyIds<'a, T: ?Sized>(&'a T);

/// Starts the method resolution for the value of an expression.
#[inline]
pub fn ids<T: ?Sized>(value: &T) -> Ids<'_, T> {
    Ids(Listed(Iterated(AnyIds(value))))
}

impl<'a, T: ?Sized> Deref for Ids<'a, T> {
    type Target = Listed<'a, T>;

    fn deref(&self) -> &Listed<'a, T> {
        &self.0
    }
}

impl<'a, T: ?Sized> Deref for Listed<'a, T> {
    type Target = Iterated<'a, T>;

    fn deref(&self) -> &Iterated<'a, T> {
        &self.0
    }
}

impl<'a, T: ?Sized> Deref for Iterated<'a, T> {
    type Target = AnyIds<'a, T>;

    fn deref(&self) -> &AnyIds<'a, T> {
        &self.0
    }
}

impl<T: Display + ?Sized> Ids<'_, T> {
    /// The value is one id.
    pub fn __graceful_each(&self, each: Each<'_>) {
        each(&(****self).0);
    }
}

impl<'a, T: ?Sized> Listed<'a, T>
where
    &'a T: IntoIterator<Item: Display>,
{
    /// Each item is an id.
    pub fn __graceful_each(&self, each: Each<'_>) {
        (self.0.0.0).into_iter().for_each(|id| each(&id));
    }
}

impl<T: IntoIterator<Item: Display> + Clone> Iterated<'_, T> {
    /// Each item is an id.
    pub fn __graceful_each(&self, each: Each<'_>) {
        self.0.0.clone().into_iter().for_each(|id| each(&id));
    }
}

/// A type that names entities.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot name entities: it is neither `Display` nor a list of such values",
    label = "this becomes the ids of entities",
    note = "name a field that is `Display`, such as `order.customer`, or an `Option`, a list or an iterator of such values, as in \
            `orders.iter().map(|order| order.customer)`; an iterator must be `Clone`"
)]
pub trait NamesEntities: Display {}
#[diagnostic::do_not_recommend]
impl<T: Display + ?Sized> NamesEntities for T {}

impl<T: ?Sized> AnyIds<'_, T> {
    /// Reports the missing trait.
    pub fn __graceful_each(&self, each: Each<'_>)
    where
        T: NamesEntities,
    {
        each(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, collections::BTreeSet};

    use super::*;

    /// The ids that an expression names.
    macro_rules! named {
        ($value:expr) => {{
            let mut named = Vec::new();
            ids(&$value).__graceful_each(&mut |id| named.push(id.to_string()));
            named
        }};
    }

    #[test]
    fn ids_of_value_that_is_display_are_that_value() {
        assert_eq!(named!(42), ["42"]);
        assert_eq!(named!("a"), ["a"]);
        assert_eq!(named!("abc"[1..]), ["bc"]);
        assert_eq!(named!(&String::from("a")), ["a"]);
        assert_eq!(named!(Box::<dyn Display>::from(Box::new(7))), ["7"]);
    }

    #[test]
    fn ids_of_value_that_can_be_iterated_are_its_items() {
        let (list, slice): (_, &[u64]) = (vec![String::from("a"), String::from("b")], &[1, 2]);
        assert_eq!(named!(list), ["a", "b"]);
        assert_eq!(named!(&list), ["a", "b"]);
        assert_eq!(named!(list[1..]), ["b"]);
        assert_eq!(named!(slice), ["1", "2"]);
        assert_eq!(named!([1, 2]), ["1", "2"]);
        assert_eq!(named!(BTreeSet::from([2, 1])), ["1", "2"]);
        assert_eq!(named!(Some("a")), ["a"]);
        assert_eq!(named!(None::<u64>), [""; 0]);
        assert_eq!(named!(list.first()), ["a"]);
    }

    #[test]
    fn ids_of_iterator_are_its_items_each_time() {
        let evaluated = Cell::new(0);
        let ids_of_orders = [(1, "a"), (2, "b")];
        let iterator = ids_of_orders.iter().map(|(id, _)| {
            evaluated.set(evaluated.get() + 1);
            id
        });
        assert_eq!(named!(iterator), ["1", "2"]);
        assert_eq!(named!(iterator), ["1", "2"]);
        assert_eq!(evaluated.get(), 4);
        assert_eq!(named!(1..=2), ["1", "2"]);
    }
}
