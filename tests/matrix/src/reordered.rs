//! The same program with its modules in another order.
#![allow(missing_docs, dead_code, reason = "tests; handlers are listed whether they are called or not")]

mod handlers;

mod second;

mod first;

fn main() {
    handlers::print();
}
