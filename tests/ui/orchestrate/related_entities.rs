//! What `depends_on` and `touches` take.

use graceful::{Code, orchestrate};

struct Order {
    customer: u64,
}

#[orchestrate(pattern = "order", cache(key = id, touches(customer = result, team = id)))]
async fn of_the_result(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "order", cache(key = id, touches(customer = id, customer = id), depends_on(team = id, team = id)))]
async fn twice(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "order", cache(key = id, touches(team = id), touches(customer = id)))]
async fn two_lists(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "order", cache(key = id, touches = id, depends_on))]
async fn no_lists(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "order", cache(key = id, touches(), depends_on(customer = [])))]
async fn empty_lists(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "order", cache(key = id, touches(customer), depends_on(= id)))]
async fn half_written(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "order", cache(key = id, touches(customer = [order.customer, idd], team = "team-7")))]
async fn unknown_names(id: u64, order: Order) -> Result<u64, Code> {
    Ok(id + order.customer)
}

#[orchestrate(pattern = "order", cache(key = id, touches(customer = order, team = "{order}/{id}"), depends_on(all = orders)))]
async fn no_ids(id: u64, order: Order, orders: Vec<Order>) -> Result<u64, Code> {
    Ok(id + order.customer + orders.len() as u64)
}

fn main() {
    let _ = (of_the_result(1), twice(1), two_lists(1), no_lists(1), empty_lists(1), half_written(1));
    let _ = (unknown_names(1, Order { customer: 1 }), no_ids(1, Order { customer: 1 }, Vec::new()));
}
