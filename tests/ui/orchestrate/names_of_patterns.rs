//! How the patterns of `touches` and `depends_on` are named.

use graceful::{Code, orchestrate};

const CUSTOMER: &str = "customer";

mod names {
    pub const CUSTOMER: &str = "customer";
}

#[orchestrate(pattern = "order", cache(key = id, touches("order-page" = id, "order.list" = (), customer = id, r#type = id)))]
async fn in_quotes(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "order", cache(key = id, touches(CUSTOMER = id, names::CUSTOMER = id, order-page = id)))]
async fn no_literal_names(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "order_page", cache(key = id, read, depends_on(shop.order = id, self::names::CUSTOMER = id)))]
async fn no_literal_names_of_a_reader(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "order", cache(key = id, touches("" = id, "order/{id}" = id, 7 = id, order.customer)))]
async fn no_names(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "order", cache(key = id, touches("order-page" = id, "order-page" = id, customer = id, "customer" = id, "team")))]
async fn twice(id: u64) -> Result<u64, Code> {
    Ok(id)
}

#[orchestrate(pattern = "order", cache(key = id, touches("order-page" = result)))]
async fn of_the_result(id: u64) -> Result<u64, Code> {
    Ok(id)
}

fn main() {
    let _ = (CUSTOMER, names::CUSTOMER, in_quotes(1), no_literal_names(1), no_literal_names_of_a_reader(1));
    let _ = (no_names(1), twice(1), of_the_result(1));
}
