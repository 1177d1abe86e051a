//! Prints the documents of two hundred handlers.
#![allow(missing_docs, dead_code, reason = "tests; handlers are listed whether they are called or not")]

mod handlers;

mod first;
mod second;

fn main() {
    handlers::print();
}
