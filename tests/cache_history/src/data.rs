//! What is stored and cached, and what a write changes.

use std::fmt;

use graceful::{Classify, StepError};
use serde::{Deserialize, Serialize};

/// Counts the commits of the database.
pub type Version = u64;

/// Something with versions of its own, which a reader shows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    User(u64),
    Order(u64),
    /// The list of a customer's orders. It changes with each of its orders.
    Orders(u64),
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user/{id}"),
            Self::Order(id) => write!(f, "order/{id}"),
            Self::Orders(customer) => write!(f, "orders/{customer}"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: u64,
    pub version: Version,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub id: u64,
    pub customer: u64,
    pub version: Version,
}

/// The list of a customer's orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    pub customer: u64,
    pub version: Version,
    pub orders: Vec<Order>,
}

/// A user with the orders, which a reader makes from what two other readers return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub user: Option<User>,
    pub orders: Orders,
}

/// The version at which a read saw a subject; `None` if the subject did not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub subject: Subject,
    pub version: Option<Version>,
}

impl Seen {
    pub fn user(id: u64, user: Option<&User>) -> Self {
        assert!(user.is_none_or(|user| user.id == id), "asked for user {id}, got {user:?}");
        Self { subject: Subject::User(id), version: user.map(|user| user.version) }
    }

    pub fn order(id: u64, order: Option<&Order>) -> Self {
        assert!(order.is_none_or(|order| order.id == id), "asked for order {id}, got {order:?}");
        Self { subject: Subject::Order(id), version: order.map(|order| order.version) }
    }

    pub fn orders(customer: u64, orders: &Orders) -> Self {
        assert_eq!(orders.customer, customer, "asked for the orders of {customer}, got {orders:?}");
        Self { subject: Subject::Orders(customer), version: Some(orders.version) }
    }
}

/// What a write does to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    SaveUser(u64),
    DeleteUser(u64),
    /// The order is then one of `customer`. It was perhaps one of the other of `customers`.
    SaveOrder {
        id: u64,
        customer: u64,
        customers: [u64; 2],
    },
    DeleteOrder {
        id: u64,
        customers: [u64; 2],
    },
}

impl Change {
    /// All that it changes.
    pub fn subjects(self) -> Vec<Subject> {
        match self {
            Self::SaveUser(id) | Self::DeleteUser(id) => vec![Subject::User(id)],
            Self::SaveOrder { id, customers, .. } | Self::DeleteOrder { id, customers } => {
                [Subject::Order(id)].into_iter().chain(customers.map(Subject::Orders)).collect()
            }
        }
    }
}

/// How a writer is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Manner {
    /// Its key is a parameter.
    Plain,
    /// Its body reads through the cache before it writes.
    ReadsFirst,
    /// It is no handler, but holds what it changes.
    WithoutHandler,
    /// Its key is known from its result only.
    OverResult,
    /// Its body says which lists it changes.
    Touches,
    /// It is no handler, and invalidates what it has changed.
    Invalidates,
}

impl Manner {
    /// Whether all that the write changes is held before it begins.
    pub fn holds(self) -> bool {
        matches!(self, Self::Plain | Self::ReadsFirst | Self::WithoutHandler)
    }
}

/// How the body of a writer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    Succeeds,
    /// An `Err` whose code says that nothing was changed.
    Refused,
    /// An `Err` of unknown outcome, and nothing was changed.
    LostBefore,
    /// An `Err` of unknown outcome after the commit.
    LostAfter,
}

/// One write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    pub change: Change,
    pub manner: Manner,
    pub fate: Fate,
}

/// Why a body failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Classify)]
pub enum Failure {
    /// Nothing was changed.
    #[classify(code = InvalidArgument, message = "refused")]
    Refused,
    /// Whether anything was changed is unknown.
    #[classify(code = Unavailable, message = "the database is unavailable")]
    Unavailable,
}

/// The cache is unavailable, and the call requires it.
impl From<StepError> for Failure {
    fn from(_: StepError) -> Self {
        Self::Unavailable
    }
}

/// A write that the database has confirmed.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    pub write: Write,
    pub version: Version,
}

impl Written {
    /// The user that was saved; `None` if it was deleted.
    pub fn user(self) -> Option<User> {
        match self.write.change {
            Change::SaveUser(id) => Some(User { id, version: self.version }),
            _ => None,
        }
    }

    /// The order that was saved; `None` if it was deleted.
    pub fn order(self) -> Option<Order> {
        match self.write.change {
            Change::SaveOrder { id, customer, .. } => Some(Order { id, customer, version: self.version }),
            _ => None,
        }
    }
}
