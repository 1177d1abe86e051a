//! The database behind the caches, in memory.

use std::collections::{BTreeMap, HashMap};

use crate::data::{Change, Order, Orders, Subject, User, Version};

/// Rows with versions. The version of a row is that of the commit that changed it last.
#[derive(Debug, Default)]
pub struct Database {
    commits: Version,
    users: HashMap<u64, User>,
    orders: HashMap<u64, Order>,
    /// For each customer, the version of the list, and its orders.
    lists: HashMap<u64, (Version, BTreeMap<u64, Order>)>,
}

impl Database {
    /// Changes rows, and returns the version that they have now.
    pub fn commit(&mut self, change: Change) -> Version {
        self.commits += 1;
        let version = self.commits;
        match change {
            Change::SaveUser(id) => {
                self.users.insert(id, User { id, version });
            }
            Change::DeleteUser(id) => {
                self.users.remove(&id);
            }
            Change::SaveOrder { id, customer, customers } => {
                let order = Order { id, customer, version };
                self.orders.insert(id, order.clone());
                self.change_lists(id, customers);
                self.lists.entry(customer).or_default().1.insert(id, order);
            }
            Change::DeleteOrder { id, customers } => {
                self.orders.remove(&id);
                self.change_lists(id, customers);
            }
        }
        version
    }

    /// Takes the order out of both lists, which both have a new version.
    fn change_lists(&mut self, order: u64, customers: [u64; 2]) {
        for customer in customers {
            let (version, orders) = self.lists.entry(customer).or_default();
            *version = self.commits;
            orders.remove(&order);
        }
    }

    pub fn user(&self, id: u64) -> Option<User> {
        self.users.get(&id).cloned()
    }

    pub fn order(&self, id: u64) -> Option<Order> {
        self.orders.get(&id).cloned()
    }

    pub fn orders(&self, customer: u64) -> Orders {
        let (version, orders) = self.lists.get(&customer).cloned().unwrap_or_default();
        Orders { customer, version, orders: orders.into_values().collect() }
    }

    /// Whether the subject exists. A list always does.
    pub fn exists(&self, subject: Subject) -> bool {
        match subject {
            Subject::User(id) => self.users.contains_key(&id),
            Subject::Order(id) => self.orders.contains_key(&id),
            Subject::Orders(_) => true,
        }
    }
}
