//! A shop whose handlers and broker fail now and then, for a few causes.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use graceful::{
    Classify, Context, Event, Orchestrator, StepError,
    backends::{EventEmitter, Reply},
    orchestrate,
};
use serde::{Deserialize, Serialize};

/// How many customers there are.
const CUSTOMERS: u64 = 12;

#[derive(Debug, Classify)]
pub enum ShopError {
    #[classify(code = NotFound, message = "there is no such customer")]
    NoCustomer,
    #[classify(code = FailedPrecondition, message = "the order is paid already")]
    PaidAlready,
    #[classify(code = Unavailable, message = "the bank does not answer")]
    Bank,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Customer {
    id: u64,
    name: String,
}

#[derive(Debug, Serialize)]
pub struct Order {
    id: u64,
    customer: u64,
    cents: u64,
}

#[orchestrate(pattern = "customer", cache(key = id, read))]
async fn customer(id: u64) -> Result<Customer, ShopError> {
    match id {
        1..=CUSTOMERS => Ok(Customer { id, name: format!("customer {id}") }),
        _ => Err(ShopError::NoCustomer),
    }
}

#[orchestrate(pattern = "customer", cache(key = id), event = "customer_renamed")]
async fn rename_customer(id: u64, name: String) -> Result<Customer, ShopError> {
    Ok(Customer { id, name })
}

#[orchestrate(pattern = "order", id = id, event = "order_paid", delivery = "durable")]
async fn pay_order(id: u64, number: u64) -> Result<Order, ShopError> {
    match number % 11 {
        3 => Err(ShopError::Bank),
        7 => Err(ShopError::PaidAlready),
        _ => Ok(Order { id, customer: id % CUSTOMERS + 1, cents: 100 * (number % 97 + 1) }),
    }
}

#[orchestrate(pattern = "parcel", id = id, event = "parcel_shipped", delivery = "durable")]
async fn ship_parcel(id: u64) -> Result<u64, ShopError> {
    Ok(id)
}

/// A broker that refuses some of the events.
#[derive(Debug, Default)]
pub struct Broker(AtomicU64);

impl EventEmitter for Broker {
    fn emit(&self, event: Event) -> Reply<()> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let error = match (event.name(), number % 7) {
            ("parcel_shipped", 0..=2) => {
                format!("connection to 10.0.3.{}:4222 refused (os error 111)", number % 250)
            }
            ("order_paid", 4) => format!("message of {} bytes is larger than 1048576", 1_048_577 + number),
            _ => return Reply::ready(()),
        };
        Reply::failed(StepError::new(error))
    }
}

/// Calls the handlers, for ever.
pub async fn traffic(orchestrator: Orchestrator) {
    for number in 0_u64.. {
        let actor = ["ada", "bob", "carol"][usize::try_from(number % 3).unwrap_or(0)];
        let mut context = Context::default();
        context.actor = Some(actor.into());
        let order = number % 50;
        let calls = async {
            let customer_id = number % (CUSTOMERS + 2);
            let _ = customer(customer_id).await;
            if number % 5 == 0 {
                let _ = rename_customer(number % CUSTOMERS + 1, format!("customer, version {number}")).await;
            }
            let _ = pay_order(order, number).await;
            if number % 3 == 0 {
                let _ = ship_parcel(order).await;
            }
        };
        orchestrator.scope(context.scope(calls)).await;
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
}
